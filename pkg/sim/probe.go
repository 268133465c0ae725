// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// lookInside looks into the replicas' directories, as a consistent look does
// where that is asked for.
func (w *World) lookInside(s *cluster.Snapshot, before map[cluster.UID]cluster.Sighting) map[cluster.UID]cluster.Sighting {
	if !w.probing {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	storage, at := longhorn.New(), time.Now()
	replicas := map[cluster.UID]cluster.Replica{}
	for _, v := range s.Storages[0].Volumes {
		for _, r := range v.Replicas {
			replicas[r.UID] = r
		}
	}
	seen := map[cluster.UID]cluster.Sighting{}
	for _, p := range storage.Probes(s, &s.Storages[0]) {
		sights, err := w.probe(s, storage, p)
		for _, t := range p.Targets {
			x := cluster.Probe{Seen: cluster.SeenNoAnswer, At: at, Node: p.Node}
			if err != nil {
				x.Facts = []cluster.Fact{{Name: "why", Value: err.Error()}}
			}
			seen[t.Replica] = cluster.Sighting{Of: replicas[t.Replica], Probe: x}
			if err == nil {
				w.inside[types.UID(t.Replica)] = at
			}
		}
		for _, sight := range sights {
			x := seen[sight.Replica]
			x.Probe.Seen, x.Probe.Facts = sight.Seen, sight.Facts
			seen[sight.Replica] = x
		}
	}
	cluster.Remember(seen, before, replicas)
	return seen
}

// probe has a machine answer, in the words of the script that looks.
func (w *World) probe(s *cluster.Snapshot, reads plugin.Prober, p plugin.Probe) ([]plugin.Sight, error) {
	n := w.machine(p.Node.Name)
	switch {
	case p.Lacks != "":
		return nil, errors.New(p.Lacks)
	case n == nil || !n.on:
		return nil, errors.New("the machine does not answer")
	}
	var out strings.Builder
	fmt.Fprintf(&out, "boot %s\n", n.boot())
	if d, ok := w.disks.Mounted(n.name, ""); ok && d.UUID != "" {
		fmt.Fprintf(&out, "disk {\"diskUUID\":%q}\n", d.UUID)
	}
	for _, t := range p.Targets {
		d, ok := w.disks.Stat(model.Place{Node: n.name, Name: t.Directory})
		if !ok {
			fmt.Fprintf(&out, "none %s\n", t.Directory)
			continue
		}
		const head = "volume-head-000.img"
		fmt.Fprintf(&out, "dir %s\nmeta {\"Head\":%q,\"Rebuilding\":%t}\nimage %d %d 1 %s\n",
			t.Directory, head, d.Rebuilding, d.Size, d.Used, path.Join("/", t.Directory, head))
	}
	fmt.Fprintf(&out, "done %d\n", len(p.Targets))
	return reads.Read(s, p, []byte(out.String()))
}

// seeing is the snapshot with what was seen in directories.
func seeing(s *cluster.Snapshot, seen map[cluster.UID]cluster.Sighting) *cluster.Snapshot {
	if len(seen) == 0 {
		return s
	}
	out := *s
	out.Storages = slices.Clone(s.Storages)
	for i := range out.Storages {
		st := &out.Storages[i]
		st.Volumes = slices.Clone(st.Volumes)
		st.See(seen)
	}
	return &out
}
