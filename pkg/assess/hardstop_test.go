// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// What no flag accepts: the last good copy, a fact that is missing, and a
// volume that is about to be formatted. Each has its own code, and every code
// accepted, for all and by name, leaves it standing.
func TestHardStops_NoFlagAcceptsThem(t *testing.T) {
	const whole, drain, del = "whole", "drain", "delete"
	for name, c := range map[string]struct {
		world func() *lab
		bend  func(*lab)
		code  string
		asked []string
	}{
		"the last copy":         {func() *lab { return newLab().detached("data", "w1") }, nil, VolumeLastCopy, []string{drain, del}},
		"the last copy of two":  {atRest2, func(l *lab) { l.r(1).Claim = cluster.Failed }, VolumeLastCopy, []string{drain, del}},
		"no copy elsewhere now": {atRest2, func(l *lab) { l.node("w2").Ready = cluster.No }, VolumeUnproven, []string{whole, drain, del}},
		"a kind that was not read": {atRest3, gap(cluster.Gap{Kind: "replicas.x", Reason: cluster.GapForbidden, Needed: true, OfStorage: true}),
			InputGapNeeded, []string{whole, drain, del}},
		"a kind cut off":             {atRest3, gap(cluster.Gap{Kind: "pods", Reason: cluster.GapTruncated, ForDrain: true}), InputGapDrain, []string{drain, del}},
		"no cluster":                 {elsewhere, files, InputNotLive, []string{del}},
		"a claim without its volume": {atRest3, pv(cluster.PersistentVolume{Name: "x", Driver: driver, Handle: "x", Bound: true}), PVNoVolume, []string{whole, drain, del}},
		"no replica left":            {atRest2, func(l *lab) { l.v("data").Replicas = nil }, VolumeWouldBeFormatted, []string{whole}},
		"no replica left, asked":     {atRest2, func(l *lab) { l.v("data").Replicas = nil }, VolumeDataLost, []string{drain, del}},
		"all replicas blank":         {atRest2, func(l *lab) { l.recreate("w1"); l.recreate("w2") }, VolumeWouldBeFormatted, []string{whole}},
		"unproven copies":            {atRest3, nil, VolumeNotProven, []string{del}},
	} {
		l := c.world()
		if c.bend != nil {
			c.bend(l)
		}
		for _, doc := range Codes() {
			for _, subject := range []string{"", "data", "w1", "x", "pods", "pv-data"} {
				l.pol.Accepted = append(l.pol.Accepted, policy.Risk{Code: doc.Code, Name: subject})
			}
		}
		j := l.judge()
		answers := map[string]Permit{whole: {j.Verdict, j.Findings}, drain: j.MayDrain(asked(l)), del: j.MayDelete(asked(l), Turn{})}
		for _, q := range c.asked {
			p := answers[q]
			if p.Verdict == cluster.Safe || !slices.Contains(codes(p.Findings, Unclear), c.code) {
				t.Errorf("%s: %s is %v without %s\n%s", name, q, p.Verdict, c.code, say(p.Findings))
			}
		}
	}
}
