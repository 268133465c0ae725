// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// orphan is what is kept of an Orphan: something on a node that no object of
// Longhorn names (k8s/pkg/apis/longhorn/v1beta2/orphan.go).
type orphan struct {
	meta
	kind, node, disk, directory string
}

func newOrphan(item []byte) (*orphan, error) {
	o, err := decode[struct {
		Node       string            `json:"nodeID"`
		Type       string            `json:"orphanType"`
		Parameters map[string]string `json:"parameters"`
	}, nothing]("Orphan", item)
	if err != nil {
		return nil, err
	}
	p := o.Spec.Parameters
	return &orphan{meta: o.Metadata, kind: o.Spec.Type, node: o.Spec.Node, disk: p["DiskUUID"], directory: p["DataName"]}, nil
}

// running reports whether it is a process, which holds no data of its own.
// Longhorn has such orphans from 1.9 on.
func (o *orphan) running() bool { return o.kind == "engine-instance" || o.kind == "replica-instance" }

// orphanFacts translates the orphans that may be data, sorted by name. A type
// never seen may be.
func (j *join) orphanFacts() []cluster.Orphan {
	var out []cluster.Orphan
	for _, o := range sortedBy(j.orphans, func(o *orphan) string { return o.Name }) {
		if o.running() {
			continue
		}
		f := cluster.Orphan{Name: o.Name, UID: o.UID, Node: o.node, DiskUUID: o.disk, Directory: o.directory, Volume: volumeOf(o.directory)}
		if of, ok := strings.CutSuffix(f.Volume, "-r"); ok && !j.known(f.Volume) && j.known(of) {
			f.Volume = of // the v2 engine names the data as the replica object
		}
		j.orphaned[f.Volume] = true
		out = append(out, f)
	}
	return out
}

// volumeOf is the volume that a replica's directory was made for: its name is
// the volume's with eight random letters and digits (Longhorn v1.12.0
// scheduler/replica_scheduler.go, scheduleReplicaToDisk).
func volumeOf(directory string) string {
	i := strings.LastIndex(directory, "-")
	if i < 1 || len(directory)-i-1 != 8 {
		return ""
	}
	return directory[:i]
}
