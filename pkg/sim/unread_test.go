// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// Every kind can be hidden, and is then a Gap without its objects, as long as it
// lasts; what is hidden of the storage is joined without it by the plugin's reader.
func TestUnread_AKindThatCannotBeReadIsAGapAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := world(1, Standard(3, 3))
		if err != nil {
			t.Fatal(err)
		}
		lapse(10 * time.Minute)
		look := func(u Unread, lasts time.Duration) *cluster.Snapshot {
			p := w.Connect(nil, Standard(3, 3).Commands, Faults{Unread: func() (Unread, time.Duration) { d := lasts; lasts = 0; return u, d }})
			s, err := p.Observe(t.Context(), cluster.Fresh)
			if err != nil {
				t.Fatal(err)
			}
			lapse(lasts + time.Minute)
			if again, err := p.Observe(t.Context(), cluster.Fresh); err != nil || len(again.Gaps) > 0 {
				t.Errorf("%s: once it is over: %v, %v", u.Kind, again.Gaps, err)
			}
			return s
		}
		whole := look(Unread{}, 0)
		for kind, count := range map[string]func(*cluster.Snapshot) int{
			"nodes":                            func(s *cluster.Snapshot) int { return len(s.Nodes) },
			"persistentvolumes":                func(s *cluster.Snapshot) int { return len(s.Persistent) },
			"pods":                             func(s *cluster.Snapshot) int { return len(s.Pods) },
			"poddisruptionbudgets.policy":      func(s *cluster.Snapshot) int { return len(s.Budgets) },
			"volumeattachments.storage.k8s.io": func(s *cluster.Snapshot) int { return len(s.Attachments) },
			"volumes.longhorn.io":              func(s *cluster.Snapshot) int { return len(s.Storages[0].Volumes) },
			"nodes.longhorn.io":                func(s *cluster.Snapshot) int { return len(s.Storages[0].Nodes) },
			"settings.longhorn.io":             func(s *cluster.Snapshot) int { return len(s.Storages[0].Settings) },
			"replicas.longhorn.io": func(s *cluster.Snapshot) (n int) {
				for _, v := range s.Storages[0].Volumes {
					n += len(v.Replicas)
				}
				return n
			},
			"leases.coordination.k8s.io": func(s *cluster.Snapshot) (n int) {
				for i := range s.Nodes {
					if !s.Nodes[i].LeaseRenewed.IsZero() {
						n++
					}
				}
				return n
			},
		} {
			none, half := look(Unread{Kind: kind, Reason: cluster.GapForbidden}, 30*time.Second), look(Unread{Kind: kind, Reason: cluster.GapTruncated, Kept: 50}, 30*time.Second)
			if a, b, c := count(none), count(half), count(whole); a != 0 || b >= c || b == 0 && c > 1 {
				t.Errorf("%s: %d of %d, and of half of it %d", kind, a, c, b)
			}
			g := none.Gaps[0]
			if g.Kind != kind || g.Reason != cluster.GapForbidden || g.OfStorage != strings.HasSuffix(kind, ".longhorn.io") {
				t.Errorf("%s: %+v", kind, g)
			}
		}
		for _, k := range longhorn.New().Kinds() {
			s := look(Unread{Kind: k.Resource + "." + k.Group, Reason: cluster.GapFailed}, 30*time.Second)
			if !slices.ContainsFunc(s.Gaps, func(g cluster.Gap) bool { return g.Reason == cluster.GapFailed && g.OfStorage }) {
				t.Errorf("%s: %v", k.Resource, s.Gaps)
			}
		}
	})
}
