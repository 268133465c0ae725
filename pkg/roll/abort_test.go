// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// retiring is the journal of a turn whose node is cordoned, and what came of the
// command that ends its machine; no result for none that is known.
func retiring(node cluster.NodeRef, results ...decide.Result) []record.Event {
	now := time.Now()
	cordon := decide.Action{Verb: decide.Cordon, Node: node}
	retire := decide.Action{Verb: decide.RunCommand, Node: node, Command: decide.RetireCommand}
	es := []record.Event{
		{Kind: record.Started, Plan: &decide.Plan{Run: "r", Goal: decide.UntilReplaced, Turns: []decide.PlannedTurn{{Node: node}}}},
		{Kind: record.Noted, Note: &decide.Note{Kind: decide.TurnOpened, Node: node, Turn: &decide.OpenTurn{}}},
		{Kind: record.Intent, Action: &cordon},
		{Kind: record.Done, Action: &cordon, Outcome: &decide.Outcome{Result: decide.Performed}},
		{Kind: record.Intent, Action: &retire},
	}
	for i, r := range results {
		if i > 0 {
			es = append(es, record.Event{Kind: record.Intent, Action: &retire})
		}
		es = append(es, record.Event{Kind: record.Done, Action: &retire, Outcome: &decide.Outcome{Result: r, Detail: "so it ended"}})
	}
	for i := range es {
		es[i].At = now
	}
	return es
}

func TestAbort_AMachineThatMayBeOnItsWayOutIsNotPutBackToUse(t *testing.T) {
	for name, c := range map[string]struct {
		results []decide.Result
		says    string // empty where the node may be put back to use
	}{
		"the command ended well":         {[]decide.Result{decide.Performed}, "the retire command ended well at"},
		"and failed when tried again":    {[]decide.Result{decide.Performed, decide.Uncertain}, "the retire command ended well at"},
		"it failed, who knows how far":   {[]decide.Result{decide.Uncertain}, "the retire command: so it ended"},
		"the process died with it":       {nil, "its outcome is not known"},
		"it was never begun":             {[]decide.Result{decide.Refused}, ""},
		"it failed, then was not begun":  {[]decide.Result{decide.Uncertain, decide.Refused}, "the retire command: so it ended"},
		"the machine was another by now": {[]decide.Result{decide.Conflict}, ""},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { abortsWhile(t, c.results, c.says) }) })
	}
}

func abortsWhile(t *testing.T, results []decide.Result, says string) {
	for _, stays := range []string{"", "worker-2", "worker-1"} {
		w := newToy(3, 1, 2)
		n := w.node("worker-1")
		n.cordoned = true
		cfg := config(w, &shelf{events: retiring(cluster.NodeRef{Name: n.name, UID: n.uid}, results...)}, nil)
		cfg.Stays = stays
		res, err := roll.Abort(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if says == "" || stays == "worker-1" {
			if res.Exit != 0 || n.cordoned {
				t.Errorf("stays %q: exit %d, cordoned %v: %+v", stays, res.Exit, n.cordoned, res.Decision)
			}
			continue
		}
		h, _ := res.Decision.(decide.Halt)
		if res.Exit != decide.ExitUnsafe || !n.cordoned || !strings.Contains(h.Reason, says) || !strings.Contains(h.Remedy, "--stays=worker-1") {
			t.Errorf("stays %q: exit %d, cordoned %v: %+v", stays, res.Exit, n.cordoned, h)
		}
	}
}

// mute is a world in which nodes cannot be listed.
type mute struct {
	*toy
	gaps []cluster.Gap
}

func (w mute) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		s.Nodes, s.Gaps = nil, w.gaps
	}
	return s, err
}

func TestAbort_ANodeThatCouldNotBeReadIsNotGone(t *testing.T) {
	failed := cluster.Gap{Kind: "nodes", Reason: cluster.GapFailed, Needed: true, Detail: "503"}
	helpful := cluster.Gap{Kind: "events", Reason: cluster.GapFailed, Detail: "503"}
	missing := cluster.Gap{Kind: "engines.toy.example", Reason: cluster.GapMissing, Needed: true}
	for name, c := range map[string]struct {
		gaps []cluster.Gap
		exit int
		says string
	}{
		"nodes cannot be read":            {[]cluster.Gap{helpful, failed}, decide.ExitUnknown, "nodes cannot be read: 503"},
		"they can":                        {nil, decide.ExitUnsafe, "is gone already"},
		"what cannot be read is not this": {[]cluster.Gap{helpful, missing}, decide.ExitUnsafe, "is gone already"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newToy(3, 1, 2)
				b := &shelf{events: barred(w, decide.UntilReplaced)}
				before := len(b.events)
				cfg := config(w, b, nil)
				cfg.World = mute{w, c.gaps}
				res, err := roll.Abort(t.Context(), cfg)
				h, _ := res.Decision.(decide.Halt)
				if err != nil || res.Exit != c.exit || !strings.Contains(h.Reason, c.says) || len(b.events) != before {
					t.Errorf("exit %d, %d events: %+v, %v", res.Exit, len(b.events)-before, res.Decision, err)
				}
			})
		})
	}
}

// bootable is a world of machines that report their boot.
type bootable struct {
	keeping
	boot string // worker-1's
	down bool
}

func (w bootable) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.keeping.Observe(ctx, f)
	if err == nil {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Ref.Name == "worker-1" {
				n.BootID, n.Ready = w.boot, map[bool]cluster.Answer{true: cluster.No, false: cluster.Yes}[w.down]
			}
		}
	}
	return s, err
}

// Whoever does what the halt says must come to an end.
func TestAbort_ARebootThatCannotBeFinishedCanBeGivenUp(t *testing.T) {
	gone := func(w *bootable) { w.nodes = w.nodes[1:] }
	for name, c := range map[string]struct {
		becomes func(*bootable)
		results []decide.Result // of the reboot command
		exit    int             // of the run
		says    string          // by abort at once; empty where it ends the roll
	}{
		"the Node is gone":                   {gone, []decide.Result{decide.Performed}, decide.ExitUnsafe, ""},
		"nobody knows how the command ended": {gone, nil, decide.ExitUnsafe, ""},
		"up again, and a disk is lost": {func(w *bootable) { w.boot, w.node("worker-1").disk = "second", "blank" },
			[]decide.Result{decide.Performed}, decide.ExitLimit, ""},
		"down for good": {func(w *bootable) { w.down = true }, []decide.Result{decide.Performed}, decide.ExitLimit, "the reboot command ended well"},
		"its boot is not reported": {func(w *bootable) { w.down, w.boot = true, "" },
			[]decide.Result{decide.Uncertain}, decide.ExitLimit, "the reboot command: so it ended"},
	} {
		for _, first := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &bootable{keeping: keeping{newToy(3, 1, 2)}, boot: "first"}
					b := &shelf{events: append(barred(w.toy, decide.UntilRebooted), reboots(w.toy, c.results...)...)}
					c.becomes(w)
					cfg := config(w.toy, b, nil)
					cfg.World = w
					if first { // it is not waited for any more
						res, err := roll.Abort(t.Context(), cfg)
						h, _ := res.Decision.(decide.Halt)
						if err != nil || (res.Exit == 0) != (c.says == "") || !strings.Contains(h.Reason, c.says) {
							t.Fatalf("%+v, %v", res.Decision, err)
						}
						over(t, w, b, cfg, h.Remedy)
						return
					}
					res, err := roll.Run(t.Context(), cfg)
					h, _ := res.Decision.(decide.Halt)
					if err != nil || res.Exit != c.exit {
						t.Fatalf("%+v, %v", res.Decision, err)
					}
					over(t, w, b, cfg, h.Remedy)
				})
			})
		}
	}
}

// over does what the remedy says, in its order, and expects the roll to be over
// then, and the machine in use.
func over(t *testing.T, w *bootable, b *shelf, cfg roll.Config, remedy string) {
	t.Helper()
	remedy, _, _ = strings.Cut(remedy, "; only where")
	for word := range strings.SplitSeq(remedy, "kubectl ") {
		switch {
		case strings.HasPrefix(word, "delete node worker-1"):
			w.nodes = w.nodes[1:]
		case strings.HasPrefix(word, "safe-roll abort"):
			if res, err := roll.Abort(t.Context(), cfg); err != nil || res.Exit != 0 || len(res.Left) > 0 {
				t.Errorf("%q: %+v, left %+v, %v", remedy, res.Decision, res.Left, err)
			}
		}
	}
	if !(record.History{Events: b.events}).Over() {
		t.Errorf("after %q the roll is still in flight", remedy)
	}
	if n := w.node("worker-1"); n != nil && (n.cordoned || !n.place.Accept) {
		t.Errorf("it is left %+v", n)
	}
}

// reboots is what a journal goes on with when the node was cordoned and its
// command was begun.
func reboots(w *toy, results ...decide.Result) []record.Event {
	n := w.node("worker-1")
	n.cordoned, n.pods = true, 0
	es := retiring(cluster.NodeRef{Name: n.name, UID: n.uid}, results...)[2:]
	for _, e := range es {
		if e.Action.Verb == decide.RunCommand {
			e.Action.Command = decide.RebootCommand
		}
	}
	return es
}
