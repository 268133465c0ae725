// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Making anything worse, or hiding it, never makes an answer Safe that was not.
// It may make an Unsafe one Unknown: who hides the proof of a loss, or silences
// the node that shows it, leaves nobody who knows.
//
// Six things are not "worse" in this sense, and are left out where they
// apply. Of two nodes that report one disk, taking one away settles which of
// them has it. Who takes the last thing off a node that may be deleted frees
// it: its replicas, its disks that others name, engines and holds. Who hides the only trace that a volume
// was used hides that: the one replica that was ever healthy, of more than the
// volume was made with, or that a placeholder ever was. Who
// takes the last copy of a volume whose loss was accepted makes it lost, which
// is what was accepted. Who takes the place of a replica that is being rebuilt
// ends the rebuild. And of files, hiding the newest time moves their present.
func TestJudge_WorseFactsNeverMakeItSafe(t *testing.T) {
	t.Parallel()
	changed := 0
	dice := newDice()
	ask := func(t *rapid.T) {
		d := dice.in(t)
		s, p, turn := d.snapshot(), d.policy(), d.turn()
		oneOfEachDisk(s)
		p.Accepted = slices.DeleteFunc(p.Accepted, func(r policy.Risk) bool { return r.Code == VolumeAlreadyLost })
		ref := cluster.NodeRef{Name: "n1", UID: "uid-n1"}
		before := Judge(s, p, now())
		whole, drain, del := before.Verdict, before.MayDrain(ref).Verdict, before.MayDelete(ref, turn).Verdict
		reboot, astray := before.MayReboot(ref).Verdict, strays(s)
		what := d.worsen(s)
		after := Judge(s, p, now())
		if after.Verdict != whole {
			changed++
		}
		if rebuilds(after) < rebuilds(before) || strays(s) < astray {
			return
		}
		for _, q := range []struct {
			name     string
			was, is  cluster.Verdict
			findings []Finding
		}{
			{"whole", whole, after.Verdict, after.Findings},
			{"drain", drain, after.MayDrain(ref).Verdict, after.MayDrain(ref).Findings},
			{"reboot", reboot, after.MayReboot(ref).Verdict, after.MayReboot(ref).Findings},
			{"delete", del, after.MayDelete(ref, turn).Verdict, after.MayDelete(ref, turn).Findings},
		} {
			if q.is == cluster.Safe && q.was != cluster.Safe {
				t.Fatalf("%s was %v and is Safe after %s\n%s%+v", q.name, q.was, what, say(q.findings), s)
			}
		}
	}
	for range rounds {
		rapid.Check(t, ask)
	}
	if changed < 10 {
		t.Errorf("only %d clusters had another verdict afterwards: the test says nothing", changed)
	}
}

// rebuilds counts the replicas that are being rebuilt.
func rebuilds(j *Judgement) int {
	n := 0
	for i := range j.Volumes {
		for k := range j.Volumes[i].Replicas {
			if j.Volumes[i].Replicas[k].Standing == cluster.StandingRebuilding {
				n++
			}
		}
	}
	return n
}

// oneOfEachDisk takes clones away, and blank identities.
func oneOfEachDisk(s *cluster.Snapshot) {
	seen := map[string]bool{}
	for i := range s.Storages {
		for k := range s.Storages[i].Nodes {
			sn := &s.Storages[i].Nodes[k]
			sn.Disks = slices.DeleteFunc(sn.Disks, func(x cluster.Disk) bool {
				was := seen[x.UUID]
				seen[x.UUID] = true
				return was
			})
		}
	}
}
