// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestJudge_SaysThatAllLiesInOneZone(t *testing.T) {
	zones := func(z map[string]string) func(*lab) {
		return func(l *lab) {
			for name, zone := range z {
				l.node(name).Zone = zone
			}
		}
	}
	one := zones(map[string]string{"control": "b", "w1": "a", "w2": "a", "w3": "a"})
	two := zones(map[string]string{"w1": "b", "w2": "a", "w3": "a"})
	for name, c := range map[string]struct {
		world        func() *lab
		bend         func(*lab)
		whole, drain bool
	}{
		"no zones":                   {atRest3, func(*lab) {}, false, false},
		"one zone, and no other":     {atRest3, zones(map[string]string{"w1": "a", "w2": "a", "w3": "a"}), false, false},
		"one zone of several":        {atRest3, one, true, true},
		"two zones, and one without": {atRest3, two, false, true},
		"no zone but of the others":  {atRest3, zones(map[string]string{"control": "b"}), false, false},
		"a node without a zone":      {atRest3, then(one, func(l *lab) { l.node("w2").Zone = "" }), false, false},
		"one replica":                {func() *lab { return newLab().detached("data", "w1") }, one, false, false},
		"one replica left":           {atRest2, one, true, false},
		"a volume that is going":     {atRest3, then(one, func(l *lab) { l.v("data").State = cluster.Deleting }), false, false},
		"nothing on the node":        {func() *lab { return newLab().detached("data", "w2", "w3") }, one, true, false},
		"what does not count":        {atRest3, then(two, func(l *lab) { l.r(0).Claim = cluster.Failed }), true, true},
	} {
		l := c.world()
		c.bend(l)
		j := l.judge()
		whole, drain := codes(j.Findings, Note), codes(j.MayDrain(asked(l)).Findings, Note)
		if slices.Contains(whole, VolumeOneZone) != c.whole || slices.Contains(drain, VolumeOneZone) != c.drain {
			t.Errorf("%s: whole %v, drain %v; want it said %t, %t", name, whole, drain, c.whole, c.drain)
		}
	}
	l := atRest3()
	one(l)
	j := l.judge()
	for want, p := range map[string]Permit{
		"Volume data (claim apps/data) has all its good replicas in zone a.":                 {j.Verdict, j.Findings},
		"Volume data (claim apps/data) has all its good replicas in zone a without node w1.": j.MayDrain(asked(l)),
	} {
		if len(p.Findings) != 1 || p.Findings[0].Message != want || p.Verdict != safe {
			t.Errorf("%v: %s", p.Verdict, say(p.Findings))
		}
	}
}
