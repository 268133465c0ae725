// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"errors"
	"path"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// replicaSpec holds the fields of a Replica's spec that are needed.
// evictionRequested moved from the status to the spec in Longhorn 1.6;
// lastHealthyAt and lastFailedAt exist from 1.5.4, 1.6.1 and 1.7.0 on.
type replicaSpec struct {
	Volume            string `json:"volumeName"`
	Engine            string `json:"engineName"`
	Active            bool   `json:"active"`
	NodeID            string `json:"nodeID"`
	DiskID            string `json:"diskID"`
	DiskPath          string `json:"diskPath"`
	Directory         string `json:"dataDirectoryName" keep:"own"`
	HealthyAt         stamp  `json:"healthyAt"`
	FailedAt          stamp  `json:"failedAt"`
	LastHealthyAt     stamp  `json:"lastHealthyAt"`
	LastFailedAt      stamp  `json:"lastFailedAt"`
	RebuildRetryCount int    `json:"rebuildRetryCount"`
	EvictionRequested bool   `json:"evictionRequested"`
}

type replicaStatus struct {
	State             string  `json:"currentState"`
	OwnerID           string  `json:"ownerID"`
	EvictionRequested bool    `json:"evictionRequested"`
	NoStart           noStart `json:"conditions"`
}

// noStart notes of a list of conditions whether Longhorn could not start the
// process the last time that it tried (v1.12.0 controller/instance_handler.go:
// InstanceCreation is False), and keeps nothing else of it.
type noStart bool

// UnmarshalJSON accepts a list of conditions and null.
func (n *noStart) UnmarshalJSON(b []byte) error {
	var all []struct{ Type, Status string }
	if err := json.Unmarshal(b, &all, json.MatchCaseInsensitiveNames(true)); err != nil {
		return err
	}
	*n = false
	for _, c := range all {
		*n = *n || c.Type == "InstanceCreation" && c.Status != "True"
	}
	return nil
}

// replica is what is kept of a Replica.
type replica struct {
	meta
	replicaSpec
	Status replicaStatus
	// Unread is why nothing but its name and its volume is known; else empty.
	Unread string `keep:"own"`
}

func newReplica(item []byte) (*replica, error) {
	o, err := decode[replicaSpec, replicaStatus]("Replica", item)
	if err != nil {
		return nil, err
	}
	if o.Spec.Volume == "" {
		return nil, errors.New("it names no volume")
	}
	r := &replica{meta: o.Metadata, replicaSpec: o.Spec, Status: o.Status}
	r.DiskPath = clean(r.DiskPath)
	return r, nil
}

// unread is a replica that cannot be decoded, if it can be told whose it is.
func unread(item []byte, why error) *replica {
	var o struct {
		Metadata struct {
			Name string      `json:"name"`
			UID  cluster.UID `json:"uid"`
		} `json:"metadata"`
		Spec struct {
			Volume string `json:"volumeName"`
		} `json:"spec"`
	}
	if json.Unmarshal(item, &o, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil ||
		o.Metadata.Name == "" || o.Spec.Volume == "" {
		return nil
	}
	return &replica{
		meta:        meta{Name: o.Metadata.Name, UID: o.Metadata.UID},
		replicaSpec: replicaSpec{Volume: o.Spec.Volume}, Unread: why.Error(),
	}
}

// ever reports whether it was ever said to hold data.
func (r *replica) ever() bool {
	for _, at := range []stamp{r.HealthyAt, r.FailedAt, r.LastHealthyAt, r.LastFailedAt} {
		if !at.time().IsZero() {
			return true
		}
	}
	return false
}

// leaving reports whether it shall be moved away.
func (r *replica) leaving() bool { return r.EvictionRequested || r.Status.EvictionRequested }

// reported is the newest time that Longhorn wrote into it.
func (r *replica) reported() time.Time {
	t := r.HealthyAt.time()
	for _, at := range []stamp{r.FailedAt, r.LastHealthyAt, r.LastFailedAt, r.Created} {
		t = later(t, at.time())
	}
	return t
}

// clean removes a trailing slash, which Longhorn writes or leaves out; an
// empty path stays empty.
func clean(p string) string {
	if p == "" {
		return ""
	}
	return path.Clean(p)
}
