// SPDX-License-Identifier: Apache-2.0

package placing_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/placing"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/placement"
)

// The kinds of misses, as docs/forecast.md names them.
const (
	byOrder     = "the order decides"
	byExpansion = "an expansion is awaited"
	byOthers    = "another replica is leaving too"
	byBalance   = "auto-balance shares a node"
	byPressure  = "a disk under pressure takes its replica back"
)

// kindOf says of a forecast that a volume has no place why Longhorn may find
// one; empty if nothing is known.
func kindOf(s *cluster.Snapshot, v *cluster.Volume, why string) string {
	balance := slices.ContainsFunc(s.Storages[0].Settings, func(f cluster.Fact) bool {
		return f.Name == "replica-auto-balance" && f.Value == "best-effort"
	})
	leaves := slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool { return r.Leaving && !r.Deleting })
	switch {
	case strings.Contains(why, "expanding"):
		return byExpansion
	case leaves:
		return byOthers
	case balance && strings.Contains(why, "holds another replica of it"):
		return byBalance
	case pressed(s, v):
		return byPressure
	default:
		return ""
	}
}

// pressed: a failed replica of the volume lies on a disk that takes no new one.
func pressed(s *cluster.Snapshot, v *cluster.Volume) bool {
	closed := map[string]bool{}
	for _, n := range s.Storages[0].Nodes {
		for _, d := range n.Disks {
			closed[d.UUID] = d.Schedulable != cluster.Yes
		}
	}
	return slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool { return r.Claim == cluster.Failed && closed[r.DiskUUID] })
}

// TestDocs_NameEveryKindOfMiss holds docs/forecast.md.
func TestDocs_NameEveryKindOfMiss(t *testing.T) {
	raw, err := os.ReadFile("../../docs/forecast.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		byOrder, byExpansion, byOthers, byBalance, byPressure,
		fmt.Sprintf("at least %d %%", leastPrecision), fmt.Sprintf("at least %d %%", leastRecall),
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("docs/forecast.md does not say %q", want)
		}
	}
}

// tally counts what was said against what was so.
type tally struct {
	right, rightly  int // said to fit and did; said not to and did not
	hopeful, gloomy []miss
}

// miss is a forecast that was wrong.
type miss struct {
	seed              uint64
	volume, why, kind string
}

func (x *tally) add(said, was bool, m miss) {
	switch {
	case said && was:
		x.right++
	case !said && !was:
		x.rightly++
	case said:
		x.hopeful = append(x.hopeful, m)
	default:
		x.gloomy = append(x.gloomy, m)
	}
}

func (x *tally) precision() float64 { return share(x.right, x.right+len(x.hopeful)) }
func (x *tally) recall() float64    { return share(x.right, x.right+len(x.gloomy)) }

// share is in percent; nothing of nothing is all.
func share(part, of int) float64 {
	if of == 0 {
		return 100
	}
	return float64(part) * 100 / float64(of)
}

func (x *tally) String() string {
	return fmt.Sprintf("%d fit as said, %d do not as said, %d said to fit and do not, %d said not to and do: precision %.2f %%, recall %.2f %%",
		x.right, x.rightly, len(x.hopeful), len(x.gloomy), x.precision(), x.recall())
}

// kinds prints how many misses there are of each kind.
func (x *tally) kinds(t *testing.T, of string) {
	for name, misses := range map[string][]miss{"said to fit": x.hopeful, "said not to fit": x.gloomy} {
		count := map[string]int{}
		for _, m := range misses {
			count[m.kind]++
		}
		for kind, n := range count {
			t.Logf("%s, %s, and wrong: %d: %s", of, name, n, kind)
		}
	}
}

// snapshot reads the question's objects as they would be read from a cluster.
func snapshot(t *testing.T, q placing.Question) *cluster.Snapshot {
	t.Helper()
	plugin := longhorn.New()
	r := plugin.NewReader()
	for _, k := range plugin.Kinds() {
		for _, raw := range q.Objects[k.Resource] {
			if err := r.Put(k, raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	st, _ := r.Storage()
	s := &cluster.Snapshot{Storages: []cluster.Storage{st}}
	for _, raw := range q.Kube {
		var n corev1.Node
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Fatal(err)
		}
		s.Nodes = append(s.Nodes, cluster.Node{
			Ref: cluster.NodeRef{Name: n.Name, UID: cluster.UID(n.UID)}, Ready: cluster.Yes, Cordoned: n.Spec.Unschedulable,
		})
	}
	return s
}

// standing: every replica of the volume elsewhere that is not marked as failed
// has its disk, on a node that serves. Replicas are moved and made only then.
func standing(st *cluster.Storage, v *cluster.Volume, leaving string) bool {
	there := map[string]bool{}
	for _, n := range st.Nodes {
		for _, d := range n.Disks {
			if d.Reported && n.Ready == cluster.Yes && n.Serving == cluster.Yes {
				there[n.Name+" "+d.UUID] = true
			}
		}
	}
	return !slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool {
		return (r.Node != leaving || leaving == "") && !r.Deleting && r.Claim != cluster.Failed && !there[r.Node+" "+r.DiskUUID]
	})
}

// byItself forecasts one volume as if there were no other: the disks it gets,
// or why not all have a place.
func byItself(s *cluster.Snapshot, v *cluster.Volume, leaving string) (places []string, why string) {
	st := s.Storages[0]
	st.Volumes = []cluster.Volume{*v}
	for _, p := range (placement.Placer{}).Place(s, &st, leaving) {
		if p.Node == "" {
			return nil, p.Why
		}
		places = append(places, p.Node+"-"+p.Disk)
	}
	slices.Sort(places)
	return places, ""
}

// made are the disks that new replicas were put on.
func made(steps []placing.Step) []string {
	var out []string
	for _, x := range steps {
		if !x.Reused {
			out = append(out, x.Disk)
		}
	}
	slices.Sort(out)
	return out
}

// stuck is why Longhorn would find no place for a volume, empty where it would.
// That the plan refuses a place beside another replica is no rule of Longhorn's.
func stuck(f forecast.Forecast, volume string) string {
	for _, p := range f.Stuck {
		if p.Volume == volume && !strings.Contains(p.Why, "lost together") {
			return p.Why
		}
	}
	return ""
}
