// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Abort puts back everything that the roll in flight changed, and ends it. It
// is refused once the turn's node is gone: then the roll must be finished; unless
// its machine came back with its disks, or was only to be rebooted. It is refused as
// well where the machine may be on its way out, unless cfg.Stays names its node: put
// back to use, it would take pods and replicas with it.
func Abort(ctx context.Context, cfg Config) (Result, error) {
	return locked(ctx, cfg, (*runner).abort)
}

func (r *runner) abort(ctx context.Context, h record.History) (Result, error) {
	r.plan, r.mem = record.Replay(h)
	if h.Over() {
		return Result{}, ErrNothing
	}
	// What is put back is put back by facts, also where no turn is open.
	s, err := r.World.Observe(ctx, cluster.Fresh)
	if err != nil {
		return Result{}, err
	}
	r.look = s
	if halt, no := r.tooLate(h, s); no {
		return r.result(halt, halt.Exit), nil
	}
	r.inherit()
	events := append(r.unknown(), record.Event{Kind: record.Resumed, Text: "to abort", By: r.by()})
	if err := r.write(ctx, append(events, r.gone(s)...)...); err != nil {
		return Result{}, err
	}
	if err := errors.Join(r.takeBack(ctx, decide.StopRefused)); err != nil {
		return r.result(nil, 1), err
	}
	done := decide.Done{Says: "the roll was aborted, and what it had changed was put back"}
	if t := r.mem.Current(); t != nil && s.NodeByUID(t.Node.UID) == nil {
		done.Says += "; node " + t.Node.Name + " is gone, and what volumes lack is healed before the first turn of the next run"
	}
	return r.result(done, 0), r.write(ctx, record.Event{Kind: record.Aborted, Text: done.Says})
}

// gone notes that the turn's node is gone, where nobody has noted it yet: what leads
// to it is not to be put back.
func (r *runner) gone(s *cluster.Snapshot) []record.Event {
	t := r.mem.Current()
	if t == nil || !t.RetiredAt.IsZero() || s.NodeByUID(t.Node.UID) != nil {
		return nil
	}
	n := decide.GoneNote(s, t)
	return []record.Event{{Kind: record.Noted, Note: &n, Text: n.Says}}
}

// tooLate says why the turn's node can not, or not without being named, be put
// back to use.
func (r *runner) tooLate(h record.History, s *cluster.Snapshot) (decide.Halt, bool) {
	t := r.mem.Current()
	if t == nil {
		return decide.Halt{}, false
	}
	name := t.Node.Name
	if s.NodeByUID(t.Node.UID) == nil {
		if halt, no := unseen(s, name); no {
			return halt, true
		}
		// A reboot cannot be finished without its node, and moves nothing away that
		// its end would mend. What came back is not to be taken away by this turn.
		if r.plan.Goal.Reboots() || decide.Returned(r.plan, s, r.mem) != "" {
			return decide.Halt{}, false
		}
		return decide.Halt{
			Exit:   decide.ExitUnsafe,
			Reason: "node " + name + " is gone already: giving up now would leave volumes short of replicas",
			Remedy: "finish the turn: kubectl safe-roll run",
		}, true
	}
	what := ending(h, t)
	if what == "" || r.Stays == name || r.plan.Goal.Reboots() && rebooted(s, t) {
		return decide.Halt{}, false
	}
	wait := "wait until the Node is gone, then finish the turn: kubectl safe-roll run"
	if r.plan.Goal.Reboots() {
		wait = "wait until the machine is up with a new boot ID, then finish the turn: kubectl safe-roll run; " +
			"if it never comes back: kubectl delete node " + name + ", then kubectl safe-roll abort"
	}
	return decide.Halt{
		Exit: decide.ExitUnsafe,
		Reason: fmt.Sprintf("the machine of node %s may be on its way out (%s), though its Node is still there: "+
			"put back to use, it would take new pods and replicas with it", name, what),
		Remedy: wait + "; only where the machine is certain to stay: kubectl safe-roll abort --stays=" + name,
	}, true
}

// rebooted reports whether the boot is over that the reboot was to end: nothing of
// it is still to come. A boot that is not reported is no new one.
func rebooted(s *cluster.Snapshot, t *decide.Turn) bool {
	n := s.NodeByUID(t.Node.UID)
	return t.Boot != "" || n.BootID != "" && t.Open.Boot != "" && n.BootID != t.Open.Boot
}

// unseen says what could not be read, so that nobody knows whether a node that is
// not among the facts is gone. Of a kind that the server does not know there is
// nothing to be read.
func unseen(s *cluster.Snapshot, name string) (decide.Halt, bool) {
	for _, g := range s.Gaps {
		if !g.Needed || g.Reason == cluster.GapMissing {
			continue
		}
		return decide.Halt{
			Exit:   decide.ExitUnknown,
			Reason: fmt.Sprintf("%s cannot be read: %s; so it is not known whether node %s is gone, or has come back", g.Kind, g.Detail, name),
			Remedy: "make it readable (kubectl auth can-i list " + g.Kind + " -A), then run the same command again",
		}, true
	}
	return decide.Halt{}, false
}

// ending says what was done since the turn was opened that ends its machine, or
// may have had an effect; empty for nothing.
func ending(h record.History, t *decide.Turn) string {
	what, open := "", ""
	for _, e := range h.Events {
		if e.Action == nil || e.Action.Node != t.Node || e.At.Before(t.OpenedAt) || e.Action.Ends() == "" {
			continue
		}
		did, at := "deleting it", e.At.UTC().Format("15:04:05 MST")
		if e.Action.Verb == decide.RunCommand {
			did = "the " + string(e.Action.Command) + " command"
		}
		if e.Kind == record.Intent {
			open = did + " was begun at " + at + ", and its outcome is not known"
			continue
		}
		open = ""
		switch {
		case e.Outcome == nil:
		case e.Outcome.Result == decide.Performed:
			return did + " ended well at " + at
		case e.Outcome.Result == decide.Uncertain:
			what = did + ": " + e.Outcome.Detail
		}
	}
	return cmp.Or(open, what)
}
