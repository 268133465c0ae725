// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// mark is one of the object as it is now.
func (w *world) mark(path, kind string) cluster.Mark {
	version, _ := text(w.Get(path), "metadata", "resourceVersion").(string)
	uid, _ := text(w.Get(path), "metadata", "uid").(string)
	return cluster.Mark{Kind: kind, UID: cluster.UID(uid), Version: version}
}

// Whoever observes by events must know what a deed has left behind.
func TestMarks_NameWhatADeedHasReadAndLeft(t *testing.T) {
	w := newWorld(t)
	w.seed()
	marked := func(what string, want cluster.Mark) {
		t.Helper()
		if m := w.actor.Marks(); !slices.Contains(m, want) || want.Kind == "" {
			t.Errorf("%s: marks %+v, want %+v among them", what, m, want)
		}
	}
	cordon := decide.Action{Verb: decide.Cordon, Node: w.node}
	before := w.mark(nodePath, "nodes")
	w.do(t, cordon, decide.Performed)
	marked("cordon, as it was read", before)
	marked("cordon, as it was left", w.mark(nodePath, "nodes"))
	w.do(t, cordon, decide.Conflict)
	marked("a conflict", w.mark(nodePath, "nodes"))
	if n := len(w.actor.Marks()); n != 1 {
		t.Errorf("%d marks: those of the deed before are not forgotten", n)
	}
	w.do(t, decide.Action{Verb: decide.Refit, Node: w.node, Fittings: &cluster.Fittings{Labels: map[string]string{"a": "b"}}}, decide.Performed)
	marked("refit", w.mark(nodePath, "nodes"))
	w.do(t, w.place(), decide.Performed)
	marked("place", w.mark(toyNode, "nodes."+driver))
	w.do(t, w.wake(), decide.Performed)
	marked("wake", w.mark(toyTickets, "tickets."+driver))
	w.do(t, w.wake(), decide.Performed)
	marked("wake, which was so already", w.mark(toyTickets, "tickets."+driver))
	w.do(t, w.prune(), decide.Performed)
	marked("prune", cluster.Mark{Kind: "replicas." + driver, UID: "rep-1"})
	w.do(t, w.prune(), decide.Performed)
	marked("prune of what is gone", cluster.Mark{Kind: "replicas." + driver})
	p := w.pod(t, "web-1")
	w.do(t, evict(p), decide.Performed)
	marked("evict", cluster.Mark{Kind: "pods", UID: p.UID})
	w.do(t, evict(p), decide.Performed)
	marked("evict what is going", w.mark(podPath("web-1"), "pods"))
	w.do(t, evict(cluster.PodRef{Namespace: "shop", Name: "nobody", UID: "x"}), decide.Performed)
	marked("evict what is gone", cluster.Mark{Kind: "pods"})
}

func TestMarks_OfACommandThereAreNone(t *testing.T) {
	w, a := commandWorld(t, "true", func(c *act.Config) { c.Commands.Reboot = "true" })
	a.Boot = "b1"
	w.Edit(nodePath, func(o fakeapi.Object) { o["status"] = fakeapi.Object{"nodeInfo": fakeapi.Object{"bootID": a.Boot}} })
	for _, a.Command = range []decide.CommandKind{decide.ReplaceCommand, decide.RebootCommand} {
		w.do(t, a, decide.Performed)
		if m := w.actor.Marks(); len(m) > 0 {
			t.Errorf("%s: marks %+v", a.Command, m)
		}
	}
}
