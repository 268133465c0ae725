// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// stale is a shelf whose lock is never renewed.
type stale struct{ *shelf }

func (stale) Guard(time.Duration) error { return record.ErrExpiring }

func TestRun_ALockThatIsNeverRenewedEndsTheRoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p := propose(t, w, c)
		cfg := config(w, &shelf{}, &p)
		cfg.Book = stale{&shelf{}}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		_, err := roll.Run(ctx, cfg)
		if !errors.Is(err, record.ErrExpiring) {
			t.Errorf("ended with %v", err)
		}
		if w.calls > 0 {
			t.Errorf("%d deeds without a lock", w.calls)
		}
	})
}

func TestRun_GoesOnOnlyWithTheRollThatWasMeant(t *testing.T) {
	started := func(run string) *shelf {
		return &shelf{events: []record.Event{
			{Kind: record.Started, Plan: &decide.Plan{Run: run, Goal: decide.UntilDeletable}},
			{Kind: record.Noted, Note: &decide.Note{Kind: decide.TurnOpened, Node: cluster.NodeRef{Name: "a", UID: "a"}}},
		}}
	}
	for name, edit := range map[string]func(*roll.Config){
		"going on": func(c *roll.Config) { c.Expect = "mine" },
		"widening": func(c *roll.Config) { c.Widen, c.Plan = true, &decide.Plan{Run: "mine"} },
	} {
		t.Run(name, func(t *testing.T) {
			w, b := newToy(3, 1, 2), started("another")
			cfg := config(w, b, nil)
			edit(&cfg)
			if _, err := roll.Run(t.Context(), cfg); !errors.Is(err, roll.ErrOther) {
				t.Errorf("ended with %v", err)
			}
			if len(b.events) != 2 || w.calls > 0 {
				t.Errorf("%d events, %d deeds", len(b.events), w.calls)
			}
		})
	}
}

// skewed is a world whose clock is ahead of this machine's.
type skewed struct{ *toy }

const ahead = 15 * time.Second

func (w skewed) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		s.Look.Skew = ahead
	}
	return s, err
}

func TestRun_TheJournalTellsTheClustersTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p := propose(t, w, c)
		b := &shelf{}
		cfg := config(w, b, &p)
		cfg.World = skewed{w}
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		if at := b.events[len(b.events)-1].At; !at.Equal(time.Now().Add(ahead)) {
			t.Errorf("the last event is of %s, and it is %s", at, time.Now().Add(ahead))
		}
	})
}

// stubborn is a world in which a node outlives its machine, and where a pod then
// appears that nobody would start again; ends is what is known of the command.
type stubborn struct {
	*toy
	ends decide.Result // empty: the program dies in it
}

func (w stubborn) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if a.Verb != decide.RunCommand {
		return w.toy.Perform(ctx, a)
	}
	w.node(a.Node.Name).pods = -1
	if w.ends == "" {
		w.dead = true
		return decide.Outcome{}, errDied
	}
	return decide.Outcome{Result: w.ends}, nil
}

func (w stubborn) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	var alone []cluster.Pod
	for _, n := range w.nodes {
		if n.pods < 0 {
			alone = append(alone, cluster.Pod{Ref: cluster.PodRef{Name: "alone", UID: "alone"}, Node: n.name, Owner: cluster.OwnerNone})
		}
	}
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		s.Pods = append(s.Pods, alone...)
	}
	return s, err
}

func TestHalt_LeavesAMachineThatIsOnItsWayOutCordoned(t *testing.T) {
	for name, c := range map[string]struct {
		ends decide.Result
		back bool
	}{
		"the command ended well":         {decide.Performed, false},
		"it failed, who knows how far":   {decide.Uncertain, false},
		"the process died with it":       {"", false},
		"it was never begun":             {decide.Refused, true},
		"the machine was another by now": {decide.Conflict, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, commands := worlds()["refill, retire and create"]()
				p := propose(t, w, commands)
				cfg := config(w, &shelf{}, &p)
				cfg.World = stubborn{w, c.ends}
				res, err := roll.Run(t.Context(), cfg)
				if w.dead {
					w.dead, cfg.Plan = false, nil
					res, err = roll.Run(t.Context(), cfg)
				}
				if err != nil || res.Exit != decide.ExitUnsafe {
					t.Fatalf("%+v, %v", res.Decision, err)
				}
				if n := w.node("worker-1"); n.cordoned == c.back || n.place.Accept != c.back {
					t.Errorf("%+v: its machine is ending: %v", n, !c.back)
				}
			})
		})
	}
}

// flapping is a world in which a node comes and goes for ever, and pods never end.
type flapping struct{ *toy }

func (w flapping) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range s.Pods {
		s.Pods[i].Deleting = w.node("worker-1").cordoned && s.Pods[i].Node == "worker-1"
	}
	if n := w.node("worker-1"); n.cordoned && time.Now().Minute()%2 == 0 {
		s.Nodes[2].Ready = cluster.No
	}
	return s, nil
}

func TestRun_GoingToAndFroBetweenTwoWaitsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		p.Policy.LongestWait = 2 * time.Hour
		cfg := config(w, &shelf{}, &p)
		cfg.World = flapping{w}
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Hour)
		defer cancel()
		res, err := roll.Run(ctx, cfg)
		if err != nil || res.Exit != decide.ExitLimit {
			t.Errorf("%d %+v, %v", res.Exit, res.Decision, err)
		}
	})
}

// blindWorld does nothing before it was looked at, as a living one.
type blindWorld struct{ *toy }

func (w blindWorld) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if w.looks == 0 {
		return decide.Outcome{}, errors.New("nothing was observed yet")
	}
	return w.toy.Perform(ctx, a)
}

func TestAbort_PutsBackAHoldAlsoBetweenTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newToy(3, 1, 2)
		w.volumes[0].hold, w.volumes[0].held = "safe-roll-r", "worker-1"
		wake := decide.Action{Verb: decide.Wake, Volume: decide.ObjectRef{Name: "vol-0", UID: "v-vol-0"}, Hold: "safe-roll-r", HoldNode: "worker-1"}
		b := &shelf{events: []record.Event{
			{Kind: record.Started, Plan: &decide.Plan{Run: "r", Goal: decide.UntilReplaced}},
			{Kind: record.Intent, Action: &wake},
		}}
		cfg := config(w, b, nil)
		cfg.World = blindWorld{w}
		if res, err := roll.Abort(t.Context(), cfg); err != nil || res.Exit != 0 {
			t.Fatalf("%+v, %v", res, err)
		}
		if w.volumes[0].held != "" {
			t.Error("the volume is still held")
		}
		open := false
		for _, e := range b.events {
			if e.Kind == record.Intent && open {
				t.Errorf("I4: %s is begun while the outcome of the deed before it is open", e.Action.Verb)
			}
			open = e.Kind == record.Intent || open && e.Kind != record.Done
		}
	})
}
