// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestSay_NobodyIsNotAnotherNode(t *testing.T) {
	for owner, want := range map[string]string{"": "nobody says that it reports it", "w2": "another node reports it"} {
		l := atRest2()
		l.r(0).Owner = owner
		if got := say(l.judge().Findings); !strings.Contains(got, "data-r-w1 on node w1: "+want) {
			t.Errorf("owner %q: not said: %s\n%s", owner, want, got)
		}
	}
}

// TestMayDelete_NobodyWakesWhatHasNoOtherCopy: the advice must be one that can
// be followed.
func TestMayDelete_NobodyWakesWhatHasNoOtherCopy(t *testing.T) {
	for what, c := range map[string]struct {
		l    *lab
		want string
	}{
		"the only replica":      {newLab().detached("data", "w1"), "give it a replica elsewhere first"},
		"one that has siblings": {atRest2(), "wake it without the node first"},
	} {
		if got := say(c.l.judge().MayDelete(asked(c.l), Turn{}).Findings); !strings.Contains(got, VolumeNotProven) || !strings.Contains(got, c.want+".") {
			t.Errorf("%s: not said: %s\n%s", what, c.want, got)
		}
	}
}

func TestGap_WhatIsThereTwiceWasDecoded(t *testing.T) {
	l := atRest2()
	l.s.Gaps = []cluster.Gap{{Kind: "leases", Reason: cluster.GapMixed, Needed: true}}
	if got := say(l.judge().Findings); !strings.Contains(got, "more than once, and differently") || strings.Contains(got, "decoded") {
		t.Errorf("not said:\n%s", got)
	}
}
