// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

type podCase struct {
	claim string
	pod   cluster.Pod
	bend  func(*lab)
	// where: go, last, stay or blocked.
	where string
	codes []string
}

func podCases() []podCase {
	app := func(o cluster.Owner) cluster.Pod {
		return cluster.Pod{Ref: cluster.PodRef{Namespace: "apps", Name: "p", UID: "p"}, Node: "w1", Owner: o}
	}
	with := func(o cluster.Owner, f func(*cluster.Pod)) cluster.Pod {
		p := app(o)
		f(&p)
		return p
	}
	finished := func(p *cluster.Pod) { p.Finished = true }
	emptyDir := func(p *cluster.Pod) { p.EmptyDir = true }
	own := func(p *cluster.Pod) { p.Ref.Namespace = "storage-system" }
	return []podCase{
		{"a pod with a controller goes", app(cluster.OwnerOther), nil, "go", nil},
		{"a pod on another node is not asked about", with(cluster.OwnerOther, func(p *cluster.Pod) { p.Node = "w2" }), nil, "", nil},
		{"a pod that is ending goes", with(cluster.OwnerOther, func(p *cluster.Pod) { p.Deleting = true }), nil, "go", nil},
		{"a pod of the storage goes last", with(cluster.OwnerOther, own), nil, "last", nil},
		{"a pod of the storage's DaemonSet stays", with(cluster.OwnerDaemonSet, own), nil, "stay", nil},
		{"a pod of the storage without a controller blocks", with(cluster.OwnerNone, own), nil, "blocked", []string{PodUnmanaged}},
		{"a storage without a namespace owns no pods", app(cluster.OwnerOther), func(l *lab) { l.st().Namespace = "" }, "go", nil},
		{"a pod of a DaemonSet stays", app(cluster.OwnerDaemonSet), nil, "stay", nil},
		{"a pod of a DaemonSet stays with its emptyDir", with(cluster.OwnerDaemonSet, emptyDir), nil, "stay", nil},
		{"a finished pod of a DaemonSet goes", with(cluster.OwnerDaemonSet, finished), nil, "go", nil},
		{"a pod of the kubelet stays", app(cluster.OwnerStatic), nil, "stay", nil},
		{"a finished pod of the kubelet stays", with(cluster.OwnerStatic, finished), nil, "stay", nil},
		{"a pod without a controller blocks", app(cluster.OwnerNone), nil, "blocked", []string{PodUnmanaged}},
		{"a finished pod without a controller goes", with(cluster.OwnerNone, finished), nil, "go", nil},
		{"a pod without a controller may be accepted", app(cluster.OwnerNone), accept(PodUnmanaged, "apps/p"), "go", nil},
		{"another pod without a controller was accepted", app(cluster.OwnerNone), accept(PodUnmanaged, "apps/q"), "blocked", []string{PodUnmanaged}},
		{"an emptyDir blocks", with(cluster.OwnerOther, emptyDir), nil, "blocked", []string{PodEmptyDir}},
		{"a finished pod's emptyDir is forgotten", with(cluster.OwnerOther, func(p *cluster.Pod) { finished(p); emptyDir(p) }), nil, "go", nil},
		{"an emptyDir may be accepted for all", with(cluster.OwnerOther, emptyDir), accept(PodEmptyDir, ""), "go", nil},
		{"an emptyDir of a pod without a controller is two things", with(cluster.OwnerNone, emptyDir), accept(PodUnmanaged, ""), "blocked", []string{PodEmptyDir}},
		{"both block", with(cluster.OwnerNone, emptyDir), nil, "blocked", []string{PodUnmanaged, PodEmptyDir}},
		{"a pod of a DaemonSet that is gone blocks", app(cluster.OwnerOrphan), nil, "blocked", []string{PodDaemonSetGone}},
		{"a finished pod of a DaemonSet that is gone goes", with(cluster.OwnerOrphan, finished), nil, "go", nil},
		{"a pod of a DaemonSet that is gone may be accepted", app(cluster.OwnerOrphan), accept(PodDaemonSetGone, ""), "go", nil},
		{"a pod whose owner could not be read blocks", app(cluster.OwnerUnknown), accept(PodOwnerUnknown, ""), "blocked", []string{PodOwnerUnknown}},
		{"a finished pod whose owner could not be read blocks", with(cluster.OwnerUnknown, finished), nil, "blocked", []string{PodOwnerUnknown}},
		{"an owner that is no word blocks", app(99), nil, "blocked", []string{PodOwnerUnknown}},
		{"pods of another machine of that name are not asked about", app(cluster.OwnerOther), func(l *lab) { l.node("w1").Ref.UID = "new" }, "blocked", []string{NodeOtherIncarnation}},
		{"pods of a node that is gone are not asked about", app(cluster.OwnerOther), func(l *lab) { l.remove("w1") }, "blocked", []string{NodeNotFound}},
	}
}

func (c podCase) set() DrainSet {
	l := newLab()
	l.s.Pods = []cluster.Pod{c.pod}
	if c.bend != nil {
		c.bend(l)
	}
	return Drain(l.s, l.pol, asked(l))
}

func TestDrain(t *testing.T) {
	for _, c := range podCases() {
		t.Run(c.claim, func(t *testing.T) {
			set := c.set()
			var where []string
			for name, n := range map[string]int{"go": len(set.Go), "last": len(set.Last), "stay": len(set.Stay)} {
				if n > 0 {
					where = append(where, name)
				}
			}
			if len(set.Blocked) > 0 {
				where = append(where, "blocked")
			}
			if c.where == "" && len(where) > 0 || c.where != "" && !slices.Equal(where, []string{c.where}) {
				t.Errorf("%v, want %q", where, c.where)
			}
			wantCodes(t, set.Blocked, Note, c.codes...)
		})
	}
}

// What would be lost for certain is unsafe; what could not be read is unknown.
func TestDrain_TellsALossFromWhatIsNotKnown(t *testing.T) {
	for _, c := range podCases() {
		for _, f := range c.set().Blocked {
			want := Danger
			if f.Code == PodOwnerUnknown || f.Code == NodeNotFound {
				want = Unclear
			}
			if f.Severity != want {
				t.Errorf("%s: %s is %s", c.claim, f.Code, f.Severity)
			}
		}
	}
}
