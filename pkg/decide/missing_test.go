// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// write writes the note down, as the loop does.
func (f *fixture) write(n decide.Note) {
	record.Apply(&f.mem, record.Event{Kind: record.Noted, Note: &n, At: f.now})
}

func TestMissing_IsWrittenDownBeforeAnythingElseAndOnce(t *testing.T) {
	for name, gap := range map[string]cluster.Gap{
		"all is read":                    {},
		"and what is needed is not read": {Kind: "nodes", Reason: cluster.GapForbidden, Needed: true},
	} {
		f := three(policy.Evict, 1, 2, 3)
		r := &f.volume().Replicas[2]
		seen(f, r, cluster.SeenNothing)
		if gap.Kind != "" {
			f.s.Gaps = []cluster.Gap{gap}
		}
		n := wantNote(t, f.next(), decide.DirectoriesMissing)
		if len(n.Missing) != 1 || n.Missing[0].Replica != r.UID || n.Missing[0].Machine != ref(3) || !strings.Contains(n.Says, "v-r3 of volume v on node worker-3") {
			t.Errorf("%s: %+v", name, n)
		}
		f.write(n)
		for _, what := range []cluster.Seen{cluster.SeenNothing, cluster.SeenRemade, cluster.SeenData, cluster.SeenNoAnswer} {
			if r.Probe.Seen = what; noted(f.next()) {
				t.Errorf("%s: %s: it is written down again", name, what)
			}
		}
		r.Probe.Seen, r.HealthyAt = cluster.SeenNothing, r.HealthyAt.Add(time.Minute)
		if !noted(f.next()) {
			t.Errorf("%s: it was rebuilt, is missing again, and that is not written down", name)
		}
	}
}

func noted(d decide.Decision) bool {
	n, ok := d.(decide.Remember)
	return ok && n.Note.Kind == decide.DirectoriesMissing
}

// Of many, no event of the journal has more than a few, and all are written.
func TestMissing_ManyAreWrittenInParts(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	for i := range 60 {
		f.addVolume(fmt.Sprintf("w%d", i), 2, 3)
		vs := f.storage().Volumes
		seen(f, &vs[len(vs)-1].Replicas[1], cluster.SeenNothing)
	}
	parts := 0
	for d := f.next(); noted(d); d = f.next() {
		n := d.(decide.Remember).Note
		if len(n.Missing) > 50 || len(n.Says) > 400 || !strings.Contains(n.Says, " and ") {
			t.Errorf("%d in one note: %s", len(n.Missing), n.Says)
		}
		f.write(n)
		parts++
	}
	if parts != 2 || len(f.mem.Missing) != 60 {
		t.Errorf("%d in %d notes", len(f.mem.Missing), parts)
	}
	var again int
	for _, n := range f.mem.StillMissing() {
		again += len(n.Missing)
	}
	if again != 60 {
		t.Errorf("a new roll takes %d over", again)
	}
}

// Whoever goes on later sees a replica that an engine serves, on a directory that was
// made anew: no object tells.
func TestMissing_WhoeverGoesOnDoesNotBelieveTheObjects(t *testing.T) {
	f := three(policy.Evict, 1, 2, 3)
	f.volume().Used = 7
	r := &f.volume().Replicas[2]
	seen(f, r, cluster.SeenNothing)
	f.write(wantNote(t, f.next(), decide.DirectoriesMissing))
	r.Probe = nil
	f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
	for known, want := range map[bool]int{true: 0, false: 1} {
		f.s.Missing = nil
		if known {
			f.s.Missing = f.mem.Missing
		}
		j := assess.Judge(f.s, f.plan.Policy, f.now)
		good := 0
		if j.Volume("v").Replicas[2].Standing == cluster.StandingGood {
			good = 1
		}
		if good != want {
			t.Errorf("known %t: it stands %s", known, j.Volume("v").Replicas[2].Standing)
		}
	}
}
