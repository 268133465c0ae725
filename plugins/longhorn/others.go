// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"errors"
	"sort"

	"github.com/go-json-experiment/json"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// nothing stands for a spec or a status of which nothing is needed.
type nothing struct{}

// setting is what is kept of a Setting, which has no spec.
type setting struct {
	meta
	value string
}

func newSetting(item []byte) (*setting, error) {
	o, err := decode[nothing, nothing]("Setting", item)
	if err != nil {
		return nil, err
	}
	var v struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(item, &v); err != nil {
		return nil, err
	}
	return &setting{meta: o.Metadata, value: v.Value}, nil
}

type ticket struct {
	Type   string `json:"type"`
	NodeID string `json:"nodeID"`
}

type attachmentSpec struct {
	Volume  string            `json:"volume"`
	Tickets map[string]ticket `json:"attachmentTickets"`
}

// attachment is what is kept of a VolumeAttachment of longhorn.io.
type attachment struct {
	meta
	attachmentSpec
}

func newAttachment(item []byte) (*attachment, error) {
	o, err := decode[attachmentSpec, nothing](attachmentsKind, item)
	if err != nil {
		return nil, err
	}
	a := &attachment{meta: o.Metadata, attachmentSpec: o.Spec}
	if a.Volume == "" {
		a.Volume = a.Name
	}
	return a, nil
}

func (a *attachment) holds() []cluster.Hold {
	out := make([]cluster.Hold, 0, len(a.Tickets))
	for id, t := range a.Tickets {
		out = append(out, cluster.Hold{ID: id, Kind: holdOf(t.Type, id), Node: t.NodeID, Why: t.Type})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

type process struct {
	Status struct {
		State string `json:"state"`
		Type  string `json:"type"`
	} `json:"status"`
}

type managerSpec struct {
	NodeID string `json:"nodeID"`
	Type   string `json:"type"`
}

// managerStatus has its processes in one map up to Longhorn 1.4, and in one
// map per type from 1.5 on.
type managerStatus struct {
	State     string             `json:"currentState"`
	Instances map[string]process `json:"instances"`
	Engines   map[string]process `json:"instanceEngines"`
	Frontends map[string]process `json:"instanceEngineFrontends"`
}

// manager is what is kept of an InstanceManager: the process on a node that
// runs engines and replicas.
type manager struct {
	meta
	node, kind, state string
	engines           []string
}

func newManager(item []byte) (*manager, error) {
	o, err := decode[managerSpec, managerStatus]("InstanceManager", item)
	if err != nil {
		return nil, err
	}
	if o.Spec.NodeID == "" {
		return nil, errors.New("it names no node")
	}
	m := &manager{meta: o.Metadata, node: o.Spec.NodeID, kind: o.Spec.Type, state: o.Status.State}
	alive := func(p process) bool { return p.Status.State != "stopped" && p.Status.State != "error" }
	for name, p := range o.Status.Instances {
		if p.Status.Type == "engine" && alive(p) {
			m.engines = append(m.engines, name)
		}
	}
	for _, processes := range []map[string]process{o.Status.Engines, o.Status.Frontends} {
		for name, p := range processes {
			if alive(p) {
				m.engines = append(m.engines, name)
			}
		}
	}
	return m, nil
}

// share is what is kept of a ShareManager, which serves a volume to many pods.
type share struct {
	meta
	node, state string
}

func newShare(item []byte) (*share, error) {
	o, err := decode[nothing, struct {
		OwnerID string `json:"ownerID"`
		State   string `json:"state"`
	}]("ShareManager", item)
	if err != nil {
		return nil, err
	}
	return &share{meta: o.Metadata, node: o.Status.OwnerID, state: o.Status.State}, nil
}

// engineImage is what is kept of an EngineImage.
type engineImage struct {
	meta
	image   string
	version string
	// cli is the version of the engine's command line; 0 where it is not said.
	cli   int
	nodes map[string]bool
}

func newEngineImage(item []byte) (*engineImage, error) {
	o, err := decode[struct {
		Image string `json:"image"`
	}, struct {
		Version string          `json:"version"`
		CLI     int             `json:"cliAPIVersion"`
		Nodes   map[string]bool `json:"nodeDeploymentMap"`
	}]("EngineImage", item)
	if err != nil {
		return nil, err
	}
	return &engineImage{meta: o.Metadata, image: o.Spec.Image, version: o.Status.Version, cli: o.Status.CLI, nodes: o.Status.Nodes}, nil
}

// backingImage is what is kept of a BackingImage: an image that replicas are
// layered upon.
type backingImage struct {
	meta
	nodeTags, diskTags []string
	copies             map[string]imageFile // by disk UUID
}

// imageFile is what is said of an image's copy on a disk. Since is when the
// state became what it is: a manager that starts anew looks at the file again,
// and the time is of that look.
type imageFile struct {
	State string `json:"state"`
	Since stamp  `json:"lastStateTransitionTime"`
}

func newBackingImage(item []byte) (*backingImage, error) {
	o, err := decode[struct {
		NodeSelector []string `json:"nodeSelector"`
		DiskSelector []string `json:"diskSelector"`
	}, struct {
		Files map[string]imageFile `json:"diskFileStatusMap"`
	}]("BackingImage", item)
	if err != nil {
		return nil, err
	}
	return &backingImage{meta: o.Metadata, nodeTags: o.Spec.NodeSelector, diskTags: o.Spec.DiskSelector, copies: o.Status.Files}, nil
}

// shardGroup is what is kept of a ShardGroup (from Longhorn 1.12.1 on): the
// volume whose data are shards instead of replicas.
type shardGroup struct {
	meta
	volume string
}

func newShardGroup(item []byte) (*shardGroup, error) {
	o, err := decode[struct {
		Volume string `json:"volumeName"`
	}, nothing]("ShardGroup", item)
	if err != nil {
		return nil, err
	}
	return &shardGroup{meta: o.Metadata, volume: o.Spec.Volume}, nil
}
