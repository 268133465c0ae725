// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func TestJudge_AStoragesKindThatWasNotReadMakesNothingLookLost(t *testing.T) {
	build := func(gaps ...cluster.Gap) *cluster.Snapshot {
		return &cluster.Snapshot{
			Source: cluster.SourceLive, Gaps: gaps,
			Persistent: []cluster.PersistentVolume{{Name: "v", Driver: "d", Handle: "v", Bound: true, ClaimNamespace: "apps", ClaimName: "c"}},
			Storages: []cluster.Storage{{Driver: "d", Volumes: []cluster.Volume{{
				Name: "v", UID: "v", Handle: "v", Class: cluster.ClassOrdinary, Want: 2, Need: 1, Touched: true,
				Replicas: []cluster.Replica{{Name: "r", Claim: cluster.Failed}},
			}}}},
		}
	}
	now := build().Look.Ended
	if j := Judge(build(), policy.Default(), now); j.Verdict != cluster.Unsafe {
		t.Errorf("a used volume whose only replica failed is %s", j.Verdict)
	}
	for _, r := range []cluster.GapReason{cluster.GapForbidden, cluster.GapMissing, cluster.GapNotGiven, cluster.GapTruncated, cluster.GapFailed} {
		j := Judge(build(cluster.Gap{Kind: "replicas.x", Reason: r, Needed: true, OfStorage: true}), policy.Default(), now)
		if j.Verdict != cluster.VerdictUnknown || len(j.Volumes) != 1 || j.Volumes[0].Condition != ConditionUnknown {
			t.Errorf("%s: %s, %+v", gapWords(r), j.Verdict, j.Volumes)
		}
		if v := j.Volume("v"); v.PV != "v" || v.ClaimNamespace != "apps" || v.ClaimName != "c" || v.Driver != "d" {
			t.Errorf("%s: nobody would know whose volume it is: %+v", gapWords(r), v)
		}
		if rs := j.Volume("v").Replicas; len(rs) != 1 || rs[0].Replica.Name != "r" || rs[0].Standing != cluster.StandingUnknown || rs[0].Code != InputGapNeeded {
			t.Errorf("%s: its replica is %+v", gapWords(r), rs)
		}
		// No node was read either, which is not to be told of what was not judged.
		wantCodes(t, j.Findings, Note, InputGapNeeded)
		ref := cluster.NodeRef{Name: "n", UID: "n"}
		if p := j.MayDrain(ref); p.Verdict == cluster.Safe {
			t.Errorf("%s: may be drained", gapWords(r))
		}
		if p := j.MayDelete(ref, Turn{}); p.Verdict == cluster.Safe {
			t.Errorf("%s: may be deleted", gapWords(r))
		}
	}
}
