// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func rebootCases() []permitCase {
	lost := func() *lab {
		l := newLab().detached("data", "w2", "w3")
		l.r(0).Claim = cluster.Failed
		l.remove("w3")
		accept(VolumeAlreadyLost, "data")(l)
		return l
	}
	under := func(l *lab) { l.v("data").Base = "image" }
	return []permitCase{
		{"a volume that is served from elsewhere waits", elsewhere, nil, nil, safe},
		{"what looks good is enough, for the disks come back", atRest3, nil, nil, safe},
		{"the floor holds, for they may not", atRest2, nil, []string{VolumeOneCopy}, unsafe},
		{"another machine of that name is not asked about", atRest3, func(l *lab) { l.node("w1").Ref.UID = "new" }, []string{NodeOtherIncarnation}, unsafe},
		{"an engine there still serves", elsewhere, func(l *lab) { l.v("data").Engine.Node = "w1" }, []string{NodeStillServing}, unsafe},
		{"a hold there still serves", elsewhere, func(l *lab) { l.v("data").Holds = []cluster.Hold{{ID: "x", Node: "w1"}} }, []string{NodeStillServing}, unsafe},
		{"what the storage's node says it runs still serves", elsewhere, func(l *lab) { l.sn("w1").Holds = 1 }, []string{NodeStillServing}, unsafe},
		{"a rebuild anywhere must end", elsewhere, func(l *lab) {
			l.v("data").Replicas = append(l.v("data").Replicas, replicaOf("data", "w3"))
			l.r(3).Name, l.r(3).Claim, l.r(3).Directory = "new", cluster.Rebuilding, "new"
		}, []string{VolumeRebuilding}, dunno},
		{"a local volume comes back with its node", elsewhere, pv(cluster.PersistentVolume{Name: "l", Local: true, Hostnames: []string{"w1"}, Bound: true, ClaimName: "l"}), nil, safe},
		{"an orphan comes back with its node", elsewhere, func(l *lab) { l.st().Orphans = []cluster.Orphan{{Name: "o", Node: "w1"}} }, nil, safe},
		{"an image that no volume uses comes back with its node", elsewhere, image("disk-w1"), nil, safe},
		{"an image that a volume uses is out of reach meanwhile", elsewhere, then(image("disk-w1"), under), []string{VolumeNoBase}, unsafe},
		{"which cannot be accepted", elsewhere, then(image("disk-w1"), under, accept(BaseOnlyCopy, "image")), []string{VolumeNoBase}, unsafe},
		{"an image with a copy elsewhere is not", elsewhere, then(image("disk-w1", "disk-w2"), under), nil, safe},
		{"an image of which no copy is anywhere may come back or not", elsewhere, then(image("disk-x"), under), []string{VolumeNoBase}, dunno},
		{"an image that is not listed may be anywhere", elsewhere, under, []string{VolumeNoBase}, dunno},
		{"an image under a volume that is going is nobody's", elsewhere, then(image("disk-w1"), under, func(l *lab) {
			l.v("data").State, l.v("data").Engine.Node = cluster.Deleting, "w2"
		}), nil, safe},
		{"an image under a volume that nobody has used keeps nothing", func() *lab { return newLab().unused("data", "w1") },
			then(image("disk-w1"), under), nil, safe},
		{"files know nothing of the present", elsewhere, files, []string{InputNotLive}, dunno},
		{"a kind that draining needs is needed here", elsewhere, gap(cluster.Gap{Kind: "pods", ForDrain: true}), []string{InputGapDrain}, dunno},
		{"a kind by which the storage holds the node must have been read", elsewhere,
			gap(cluster.Gap{Kind: "sharemanagers.x", Reason: cluster.GapFailed, OfStorage: true}), []string{InputGapDrain}, dunno},
		{"where a kind was not read nothing is said of any volume", func() *lab { return newLab().detached("data", "w1") },
			gap(cluster.Gap{Kind: "replicas.x", Reason: cluster.GapForbidden, Needed: true, OfStorage: true}), []string{InputGapNeeded}, dunno},
		{"a loss that was accepted need not come to rest", lost, func(l *lab) { l.v("data").Engine.Node, l.v("data").Busy = "w2", []string{"purging"} }, nil, safe},
	}
}

func TestMayReboot(t *testing.T) {
	for _, c := range rebootCases() {
		t.Run(c.claim, func(t *testing.T) {
			l := c.lab()
			p := l.judge().MayReboot(asked(l))
			wantCodes(t, p.Findings, Unclear, c.codes...)
			if p.Verdict != c.verdict {
				t.Errorf("%v, want %v\n%s", p.Verdict, c.verdict, say(p.Findings))
			}
		})
	}
}
