// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"slices"
)

func (w *World) addPod(p *pod) {
	w.edits++
	w.roster++
	w.pods = inserted(w.pods, p)
	if p.load != nil {
		p.load.pods = inserted(p.load.pods, p)
	}
}

// inserted is the pods and one more, by name.
func inserted(pods []*pod, p *pod) []*pod {
	i, _ := slices.BinarySearchFunc(pods, p, func(a, b *pod) int { return cmp.Compare(a.name, b.name) })
	return slices.Insert(pods, i, p)
}

// dropPods removes pods, as their objects go.
func (w *World) dropPods(gone func(*pod) bool) {
	w.pods = slices.DeleteFunc(w.pods, func(p *pod) bool {
		if !gone(p) {
			return false
		}
		w.roster++
		if p.load != nil {
			p.load.pods = slices.DeleteFunc(p.load.pods, func(q *pod) bool { return q == p })
		}
		return true
	})
}

// dropPodsOf is what happens to the pods of a node that is gone.
func (w *World) dropPodsOf(node string) {
	w.dropPods(func(p *pod) bool {
		if p.node == node && p.load == nil {
			w.model.RemovePod(p.name)
		}
		return p.node == node
	})
	for _, l := range w.links {
		if l.node == node {
			l.deleting = true
		}
	}
}
