// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func (f *fixture) judge() *assess.Judgement { return assess.Judge(f.s, f.plan.Policy, f.now) }

// room places every replica of the leaving node, or none.
type room bool

func (r room) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	var out []forecast.Placement
	for _, v := range st.Volumes {
		for _, rep := range v.Replicas {
			if rep.Node == leaving {
				p := forecast.Placement{Volume: v.Name, Replica: rep.Name, Node: "x", Bytes: 1}
				if !r {
					p.Node, p.Why = "", "no disk is left"
				}
				out = append(out, p)
			}
		}
	}
	return out
}

func (f *fixture) propose(r room, change func(*decide.Request)) (decide.Plan, []assess.Finding) {
	req := decide.Request{Run: "r", Goal: decide.UntilReplaced, Nodes: []cluster.NodeRef{ref(1)}, Policy: policy.Default()}
	if change != nil {
		change(&req)
	}
	return decide.Propose(f.judge(), req, map[string]forecast.Placer{driver: r})
}

func codes(fs []assess.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Code)
	}
	return strings.Join(out, " ")
}

// refills places what a volume lacks on the nodes without a replica of it, failed ones
// included, and nothing that has to leave a node.
type refills struct{}

func (refills) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	var out []forecast.Placement
	for _, v := range st.Volumes {
		on := map[string]bool{}
		for _, rep := range v.Replicas {
			on[rep.Node] = true
			if rep.Node == leaving {
				out = append(out, forecast.Placement{Volume: v.Name, Replica: rep.Name, Why: "no disk is left"})
			}
		}
		for _, n := range st.Nodes {
			if len(on) < v.Want && !on[n.Name] && n.Name != leaving {
				on[n.Name] = true
				out = append(out, forecast.Placement{Volume: v.Name, Node: n.Name, Disk: n.Disks[0].Name})
			}
		}
	}
	return out
}

// The second turn begins after healing: what failed before was rebuilt by then.
func TestPropose_EveryTurnIsForecastAfterHealing(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	r := &f.volume().Replicas[2]
	r.Claim, r.FailedAt = cluster.Failed, noon
	p, fs := decide.Propose(f.judge(), decide.Request{Run: "r", Goal: decide.UntilReplaced,
		Nodes: []cluster.NodeRef{ref(1), ref(2), ref(3)}, Policy: f.plan.Policy}, map[string]forecast.Placer{driver: refills{}})
	if len(fs) > 0 || p.Heals != 1 || len(p.Turns) != 3 {
		t.Errorf("%d to heal, %d turns, refused: %s", p.Heals, len(p.Turns), codes(fs))
	}
}

// Whoever goes on with the roll must look into directories as well.
func TestPropose_RemembersThatDirectoriesAreLookedInto(t *testing.T) {
	f := three(policy.Auto, 1, 2, 3)
	p, _ := f.propose(true, func(r *decide.Request) { r.Probe = true })
	if q, _ := f.propose(true, nil); !p.Probe || q.Probe {
		t.Errorf("with --probe %t, without it %t", p.Probe, q.Probe)
	}
}

func TestPropose_ChoosesEvictWhereEverythingFitsElseRefill(t *testing.T) {
	f := three(policy.Auto, 1, 2, 3)
	if p, fs := f.propose(true, nil); len(fs) > 0 || p.Turns[0].Strategy != policy.Evict {
		t.Errorf("%v %+v", codes(fs), p.Turns)
	}
	if p, fs := f.propose(false, nil); len(fs) > 0 || p.Turns[0].Strategy != policy.Refill {
		t.Errorf("%v %+v", codes(fs), p.Turns)
	}
}

// A storage attaches all detached volumes of a node at once.
func TestPropose_MoreSleepersThanMayBeWokenAtOnceAreNotEvicted(t *testing.T) {
	sleepers := func(on ...int) *fixture {
		f := three(policy.Evict, on...)
		f.addVolume("w", on...)
		return f
	}
	most := func(n int, s policy.Strategy) func(*decide.Request) {
		return func(r *decide.Request) { r.Policy.MaxEvicted, r.Policy.Strategy = n, s }
	}
	if p, fs := sleepers(1, 2).propose(true, most(2, policy.Auto)); len(fs) > 0 || p.Turns[0].Strategy != policy.Evict {
		t.Errorf("as many as may be: %s %s", p.Turns[0].Strategy, codes(fs))
	}
	if p, fs := sleepers(1, 2, 3).propose(true, most(1, policy.Auto)); len(fs) > 0 || p.Turns[0].Strategy != policy.Refill || !strings.Contains(p.Turns[0].Why, "2 detached volumes at once, more than 1") {
		t.Errorf("one too many, and the floor holds: %+v %s", p.Turns, codes(fs))
	}
	if _, fs := sleepers(1, 2, 3).propose(true, most(1, policy.Evict)); codes(fs) != decide.CodeTooMany {
		t.Errorf("one too many, and evict is asked for: %s", codes(fs))
	}
	f := sleepers(1, 2)
	f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
	for i := range f.volume().Replicas {
		f.volume().Replicas[i].Claim = cluster.Serving
	}
	if p, fs := f.propose(true, most(1, policy.Evict)); len(fs) > 0 {
		t.Errorf("only one sleeps: %+v %s", p.Turns, codes(fs))
	}
}

func TestPropose_Refuses(t *testing.T) {
	for _, c := range []struct {
		name string
		on   []int
		room room
		req  func(*decide.Request)
		code string
	}{
		{"a single replica that fits nowhere", []int{1}, false, nil, decide.CodeNoRoom},
		{"eviction by name without room", []int{1, 2, 3}, false, func(r *decide.Request) { r.Policy.Strategy = policy.Evict }, decide.CodeNoRoom},
		{"one command for refill", []int{1, 2, 3}, false, func(r *decide.Request) { r.Commands.Replace = "x" }, decide.CodeReplace},
		{"a node named twice", []int{2, 3}, true, func(r *decide.Request) { r.Nodes = append(r.Nodes, ref(1)) }, decide.CodeNodeTwice},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := three(policy.Auto, c.on...)
			if _, fs := f.propose(c.room, c.req); !strings.Contains(codes(fs), c.code) {
				t.Errorf("codes %q lack %s", codes(fs), c.code)
			}
		})
	}
}

func TestPropose_RefusesWhileAnotherNodeIsOutOrAVolumeIsNotWhole(t *testing.T) {
	f := three(policy.Auto, 1, 2)
	f.s.Nodes[2].Ready = cluster.No
	if _, fs := f.propose(true, nil); !strings.Contains(codes(fs), decide.CodeOtherOut) {
		t.Errorf("%s", codes(fs))
	}
	f = three(policy.Auto, 1, 2)
	f.volume().Replicas[1].DiskUUID = "of another life"
	if _, fs := f.propose(true, nil); len(fs) == 0 {
		t.Error("a degraded volume is no reason")
	}
}

func TestCarryOn(t *testing.T) {
	plan := decide.Plan{
		Goal: decide.UntilReplaced, Commands: decide.Commands{Replace: "make it"},
		Turns:  []decide.PlannedTurn{{Node: ref(1), Strategy: policy.Evict}, {Node: ref(2), Strategy: policy.Evict}},
		Policy: policy.Default(),
	}
	drain := plan
	drain.Goal, drain.Commands, drain.Turns = decide.UntilDeletable, decide.Commands{}, plan.Turns[:1]
	refill := drain
	refill.Turns = []decide.PlannedTurn{{Node: ref(1), Strategy: policy.Refill}}
	open := decide.Memory{Turns: []decide.Turn{{Node: ref(1)}}}
	between := decide.Memory{Turns: []decide.Turn{{Node: ref(1), ClosedAt: noon}}}
	req := decide.Request{Goal: decide.UntilReplaced, Policy: policy.Default()}
	with := func(c decide.Commands) decide.Request { r := req; r.Commands = c; return r }
	risky := req
	risky.Policy.Accepted = []policy.Risk{{Code: "pod/emptydir-data", Name: "a/b"}}
	accepted := plan
	accepted.Policy.Accepted = append([]policy.Risk{{Code: "x/y"}}, risky.Policy.Accepted...)
	for _, c := range []struct {
		name  string
		plan  decide.Plan
		mem   decide.Memory
		names []string
		req   decide.Request
		want  decide.Carry
		says  string
	}{
		{"no nodes named", plan, open, nil, req, decide.CarryResume, ""},
		{"the same nodes in another order", plan, open, []string{"worker-2", "worker-1"}, req, decide.CarryResume, ""},
		{"the same nodes, one of them replaced by now", plan, between, []string{"worker-1", "worker-2"}, req, decide.CarryResume, ""},
		{"another node while a turn is open", plan, open, []string{"worker-3"}, req, decide.CarryRefused, "worker-1"},
		{"another node between turns", plan, between, []string{"worker-3"}, req, decide.CarryFresh, ""},
		{"another command", plan, open, nil, with(decide.Commands{Replace: "other"}), decide.CarryRefused, `"make it"`},
		{"the same command", plan, open, nil, with(decide.Commands{Replace: "make it"}), decide.CarryResume, ""},
		{"a risk that the plan does not accept", plan, open, nil, risky, decide.CarryRefused, `--accept-risk "" and this command says "pod/emptydir-data:a/b"`},
		{"a risk that the plan accepts", accepted, open, nil, risky, decide.CarryResume, ""},
		{"run after drain", drain, open, []string{"worker-1"}, with(decide.Commands{Replace: "x"}), decide.CarryWiden, ""},
		{"run after drain with replicas left and one command", refill, open, nil, with(decide.Commands{Replace: "x"}), decide.CarryRefused, "--retire-command"},
		{"drain during a run", plan, open, []string{"worker-1", "worker-2"}, decide.Request{Goal: decide.UntilDeletable, Policy: policy.Default()}, decide.CarryRefused, "in flight"},
	} {
		got, wide, says := decide.CarryOn(c.plan, c.mem, c.names, c.req)
		if got != c.want || !strings.Contains(says, c.says) {
			t.Errorf("%s: %v %q", c.name, got, says)
		}
		if got == decide.CarryWiden && (wide.Goal != decide.UntilReplaced || wide.Commands.Replace != "x") {
			t.Errorf("%s: %+v", c.name, wide)
		}
	}
}

func TestOverdue_EveryWaitEnds(t *testing.T) {
	w := decide.Wait{Phase: decide.Join, Limit: time.Minute, LimitName: "join limit", Stuck: "add a node", Left: []string{"a node"}}
	since := decide.Waited{Begun: noon, Moved: noon}
	if _, over := decide.Overdue(w, since, time.Hour, noon.Add(time.Minute)); over {
		t.Error("at its limit it is not over yet")
	}
	h, over := decide.Overdue(w, since, time.Hour, noon.Add(time.Minute+1))
	if !over || h.Exit != decide.ExitLimit || h.Remedy != "add a node" || !strings.Contains(h.Reason, "join limit") || !slices.Equal(h.Missing, w.Left) {
		t.Errorf("%+v", h)
	}
	since.Moved = noon.Add(time.Hour)
	if _, over := decide.Overdue(w, since, time.Hour, noon.Add(time.Hour+1)); !over {
		t.Error("progress without end goes on for ever")
	}
	if _, over := decide.Overdue(decide.Wait{}, decide.Waited{Begun: noon, Moved: noon}, time.Hour, noon.Add(1)); !over {
		t.Error("a wait without a limit must not go on for ever")
	}
}

func TestPropose_ALossIsAcceptedOnlyAfterwards(t *testing.T) {
	accept := func(name string) func(*decide.Request) {
		return func(r *decide.Request) {
			r.Policy.Accepted = []policy.Risk{{Code: assess.VolumeAlreadyLost, Name: name}}
		}
	}
	f := three(policy.Auto, 1, 2, 3)
	name := f.volume().Name
	for _, n := range []string{name, "never-heard-of"} {
		_, fs := f.propose(true, accept(n))
		if codes(fs) != decide.CodeNotLost || fs[0].Severity != assess.Danger || !strings.Contains(fs[0].Message, n) {
			t.Errorf("%s: %+v", n, fs)
		}
	}
	f.addVolume("lost", 3)
	for _, v := range f.s.Storages[0].Volumes {
		if v.Name == "lost" {
			v.Replicas[0].Claim = cluster.Failed
		}
	}
	if _, fs := f.propose(true, accept("lost")); strings.Contains(codes(fs), decide.CodeNotLost) {
		t.Errorf("%+v", fs)
	}
}
