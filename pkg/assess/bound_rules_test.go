// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestMayDelete_TellsOfVolumesThatMayLieThere(t *testing.T) {
	other := cluster.PersistentVolume{Name: "pv-o", Driver: "other.example.org", Bound: true, ClaimName: "o"}
	with := func(f func(*cluster.PersistentVolume)) func(*lab) {
		p := other
		f(&p)
		return pv(p)
	}
	for what, c := range map[string]struct {
		bend func(*lab)
		says string
	}{
		"a driver that nobody knows":           {pv(other), "(1 of driver other.example.org) lie on node w1"},
		"a kind that nobody knows":             {with(func(p *cluster.PersistentVolume) { p.Driver = "" }), "(1 of no CSI driver) lie on node w1"},
		"one that was released":                {with(func(p *cluster.PersistentVolume) { p.Bound = false }), "(1 of driver"},
		"one on this node and on another":      {with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w2", "w1"} }), "(1 of driver"},
		"one on other nodes":                   {with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w2", "w3"} }), ""},
		"one that was never claimed":           {with(func(p *cluster.PersistentVolume) { p.Bound, p.ClaimName = false, "" }), ""},
		"one that is ours":                     {func(*lab) {}, ""},
		"one that is told as bound to it":      {with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w1"} }), ""},
		"one that is told as attached to it":   {then(pv(other), attachedAt("w1")), ""},
		"one that is attached to another node": {then(pv(other), attachedAt("w2")), "(1 of driver"},
	} {
		l := elsewhere()
		c.bend(l)
		said := ""
		for _, f := range l.judge().MayDelete(asked(l), Turn{}).Findings {
			if f.Code == PVMayLieThere {
				said += f.Severity.String() + " " + f.Message
			}
		}
		if c.says == "" && said != "" || !strings.Contains(said, c.says) || said != "" && !strings.HasPrefix(said, "Note ") {
			t.Errorf("%s: %q, want %q in a note", what, said, c.says)
		}
	}
}

func attachedAt(node string) func(*lab) {
	return func(l *lab) {
		l.s.Attachments = []cluster.Attachment{{Name: "a", Driver: "other.example.org", PV: "pv-o", Node: node}}
	}
}
