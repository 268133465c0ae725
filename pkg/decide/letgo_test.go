// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func TestHolds_OnlyWhatHoldsVolumesIsTakenBack(t *testing.T) {
	m := decide.Memory{Undo: []decide.Action{{Verb: decide.Uncordon}, {Verb: decide.Sleep, Hold: "a"}, {Verb: decide.PutBack}, {Verb: decide.Place}, {Verb: decide.Sleep, Hold: "b"}}}
	got := decide.Holds(m)
	if len(got) != 2 || got[0].Hold != "a" || got[1].Hold != "b" {
		t.Errorf("%+v", got)
	}
}

func TestUntouchable(t *testing.T) {
	open := func(f *fixture) { f.mem.Turns = []decide.Turn{{Node: ref(1), OpenedAt: noon}} }
	for name, c := range map[string]struct {
		change func(*fixture)
		want   []string // a part of each line, in order
	}{
		"between turns nothing is": {func(*fixture) {}, nil},
		"the turn's node":          {open, []string{"node worker-1: do not delete or reboot it"}},
		"the turn's node is gone": {
			func(f *fixture) { open(f); f.removeNode(1) },
			[]string{
				"node worker-1: it is gone",
				"node worker-2: do not drain, reboot or delete it, or wipe its disks: it has a good replica of a volume that is short of replicas; without it the data of v are lost",
			},
		},
		"a machine of the name is there again": {
			func(f *fixture) {
				open(f)
				f.removeNode(1)
				f.addNode(cluster.NodeRef{Name: "worker-1", UID: "new"}, "new-disk")
			},
			[]string{"node worker-1: it is gone", "node worker-2: do not drain", "v: start no pod on it, and delete none of the replicas by hand"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Refill, 1, 2)
			c.change(f)
			f.look()
			got := decide.Untouchable(f.plan, assess.Judge(f.s, f.plan.Policy, f.now), f.mem)
			if len(got) != len(c.want) || slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(strings.Join(got, "\n"), w) }) {
				t.Errorf("got:\n%s\nwant parts:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
