// SPDX-License-Identifier: Apache-2.0

package decide

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// counted is what is found once and asked of volume after volume.
type counted struct {
	// attached are the PersistentVolumes that Kubernetes attaches somewhere.
	attached map[attached]bool
	// woken and wakeful are the answers of the methods of these names.
	woken, wakeful int
}

type attached struct{ driver, pv string }

// count finds what is the same for every volume of this tick.
func (t *tick) count() *counted {
	if t.counted != nil {
		return t.counted
	}
	c := &counted{attached: make(map[attached]bool, len(t.s.Attachments)), wakeful: t.policy().MaxWoken}
	for i := range t.s.Attachments {
		if a := &t.s.Attachments[i]; a.PV != "" && !a.Deleting {
			c.attached[attached{a.Driver, a.PV}] = true
		}
	}
	for i := range t.j.Volumes {
		if v := t.j.Volumes[i].Volume; t.ours(v) != nil || t.entrusted(v) != nil {
			c.woken++
		}
	}
	if n := t.atOnce(); n > 0 {
		c.wakeful = min(c.wakeful, n)
	}
	t.counted = c
	return c
}

// atOnce is how many replicas the storages write at once; 0 where that is not
// known.
func (t *tick) atOnce() int {
	n := 0
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		if st.RebuildsPerNode < 1 {
			continue
		}
		for k := range st.Nodes {
			if st.Nodes[k].Serving == cluster.Yes {
				n += st.RebuildsPerNode
			}
		}
	}
	return n
}
