// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// The judgement of a volume rests on the volume and on what it stands on: the
// nodes and disks of its replicas and of its engine, the image under it, and
// what holds for all volumes. The functions here compare two worlds by what the
// rules read of that, no more: a kubelet's heartbeat or a disk that fills up is
// no change. What a rule begins to read must be compared here; a test changes
// every fact there is and fails where it is not.

// moved is what of a storage is not what it was.
type moved struct {
	// nodes by name, and disks by UUID.
	nodes, disks map[string]bool
	bases        bool
}

// comparable reports whether nothing has changed that all volumes rest on. Time
// must not have gone back.
func (w *world) comparable(was *world) bool {
	return !w.now.Before(was.now) && w.snap.Source == was.snap.Source && w.allNodes == was.allNodes &&
		reflect.DeepEqual(w.pol, was.pol) && slices.Equal(w.snap.Retired, was.snap.Retired) && maps.Equal(w.snap.Missing, was.snap.Missing) && maps.Equal(w.zones, was.zones) &&
		slices.EqualFunc(w.storages, was.storages, func(a, b storageWorld) bool {
			return a.facts.Driver == b.facts.Driver && a.facts.Namespace == b.facts.Namespace && a.facts.Reporter == b.facts.Reporter &&
				(a.reporters == nil) == (b.reporters == nil)
		})
}

// moved compares what the storage's volumes stand on. Of the nodes it is known
// which are not what they were.
func (st *storageWorld) moved(was *storageWorld, nodes map[string]bool) moved {
	m := moved{
		disks: differ(st.disks, was.disks, equal[int]),
		nodes: differ(st.nodes, was.nodes, sameStorageNode),
	}
	for _, more := range []map[string]bool{
		nodes, differ(st.late, was.late, equal[time.Time]), differ(st.reporters, was.reporters, equal[bool]), differ(st.twiceNodes, was.twiceNodes, equal[bool]),
	} {
		maps.Copy(m.nodes, more)
	}
	m.bases = !reflect.DeepEqual(st.images, was.images)
	return m
}

// differ returns the keys under which the two maps do not have the same.
func differ[V any](a, b map[string]V, same func(a, b V) bool) map[string]bool {
	out := map[string]bool{}
	for k, v := range a {
		if old, ok := b[k]; !ok || !same(v, old) {
			out[k] = true
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out[k] = true
		}
	}
	return out
}

func equal[V comparable](a, b V) bool { return a == b }

func (n *nodeWorld) sameAs(o *nodeWorld) bool {
	return n.facts.Ref == o.facts.Ref && n.facts.Created.Equal(o.facts.Created) &&
		n.live == o.live && n.code == o.code && slices.Equal(n.why, o.why)
}

func sameStorageNode(a, b *cluster.StorageNode) bool {
	return a.Name == b.Name && a.Ready == b.Ready && a.ReadyReason == b.ReadyReason && a.Deleting == b.Deleting &&
		slices.EqualFunc(a.Disks, b.Disks, func(c, d cluster.Disk) bool {
			return c.Name == d.Name && c.UUID == d.UUID && c.Path == d.Path && c.Declared == d.Declared && c.Reported == d.Reported &&
				c.Ready == d.Ready && c.ReadyReason == d.ReadyReason
		})
}
