// SPDX-License-Identifier: Apache-2.0

package placement_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	lh "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/placement"
)

// clusters is how many random ones are forecast and then evacuated.
var clusters = flag.Uint64("clusters", 200, "how many random clusters are forecast and evacuated")

// chance draws one of the values.
func chance[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// random is a cluster with volumes in many conditions, and the node that will
// be evacuated.
func random(t *testing.T, seed uint64) (*world, string) {
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, seed)
	var names []string
	for i := range 2 + r.IntN(4) {
		names = append(names, fmt.Sprintf("w%d", i+1))
		w.join(names[i], chance(r, "", "a", "a", "b", "c"), int64(20+r.IntN(60))*gib)
	}
	w.run(5 * time.Second)
	for _, n := range names {
		furnish(w, r, n)
	}
	w.run(2 * time.Second)
	for i := range 1 + r.IntN(9) {
		volume(w, r, fmt.Sprintf("v%d", i), names)
	}
	w.run(20 * time.Second)
	trouble(w, r, names)
	w.run(5 * time.Second)
	return w, names[0]
}

// furnish gives a node tags, and some a second disk.
func furnish(w *world, r *rand.Rand, name string) {
	node := w.m.Get(model.Nodes, name).(*lh.Node)
	spec := map[string]any{"tags": chance(r, []string{}, []string{}, []string{"ssd"}, []string{"ssd", "fast"})}
	own := map[string]any{}
	for disk := range node.Spec.Disks {
		own[disk] = map[string]any{"tags": chance(r, []string{}, []string{}, []string{"nvme"})}
	}
	if r.IntN(3) == 0 {
		w.disks.at[name+more] = &disk{size: int64(10+r.IntN(60)) * gib, directory: map[string]model.Directory{}}
		own["second"] = map[string]any{"path": more, "diskType": "filesystem", "allowScheduling": true, "tags": []string{}, "storageReserved": int64(r.IntN(5)) * gib}
	}
	spec["disks"] = own
	w.patch(model.Nodes, name, map[string]any{"spec": spec})
}

// volume creates one; three of four were used, half of them are attached.
func volume(w *world, r *rand.Rand, name string, nodes []string) {
	v := &lh.Volume{}
	v.Name, v.Spec.Size, v.Spec.NumberOfReplicas = name, int64(1+r.IntN(16))*gib, 1+r.IntN(3)
	w.disks.written[name] = r.Int64N(v.Spec.Size)
	v.Spec.NodeSelector = chance(r, nil, nil, nil, []string{"ssd"})
	v.Spec.DiskSelector = chance(r, nil, nil, nil, []string{"nvme"})
	v.Spec.ReplicaSoftAntiAffinity = chance(r, lh.ReplicaSoftAntiAffinityDefault, lh.ReplicaSoftAntiAffinityDefault, lh.ReplicaSoftAntiAffinityEnabled, lh.ReplicaSoftAntiAffinityDisabled)
	v.Spec.ReplicaZoneSoftAntiAffinity = chance(r, lh.ReplicaZoneSoftAntiAffinityDefault, lh.ReplicaZoneSoftAntiAffinityDefault, lh.ReplicaZoneSoftAntiAffinityDisabled)
	v.Spec.ReplicaDiskSoftAntiAffinity = chance(r, lh.ReplicaDiskSoftAntiAffinityDefault, lh.ReplicaDiskSoftAntiAffinityEnabled, lh.ReplicaDiskSoftAntiAffinityDisabled)
	if err := w.m.Create(v); err != nil {
		w.t.Fatal(err)
	}
	if r.IntN(4) == 0 {
		return
	}
	w.run(time.Second)
	ticket := lh.AttachmentTicket{ID: "pod", Type: lh.AttacherTypeCSIAttacher, NodeID: chance(r, nodes...), Parameters: map[string]string{"disableFrontend": "false"}}
	if err := w.m.SetTicket(name, ticket); err != nil {
		w.t.Fatal(err)
	}
	w.run(10 * time.Second)
	if r.IntN(2) == 0 {
		if err := w.m.RemoveTicket(name, "pod"); err != nil {
			w.t.Fatal(err)
		}
		w.run(5 * time.Second)
	}
}

// trouble changes what decides placement, and breaks some of the other nodes.
func trouble(w *world, r *rand.Rand, names []string) {
	for _, of := range [][]string{
		{"replica-soft-anti-affinity", "false", "false", "true"},
		{"replica-zone-soft-anti-affinity", "true", "true", "false"},
		{"replica-disk-soft-anti-affinity", "true", "false"},
		{"storage-over-provisioning-percentage", "100", "50", "200"},
		{"storage-minimal-available-percentage", "25", "0", "50"},
		{"allow-empty-node-selector-volume", "true", "true", "true", "false"},
		{"allow-empty-disk-selector-volume", "true", "true", "true", "false"},
		{"disable-scheduling-on-cordoned-node", "true", "false"},
		{"replica-replenishment-wait-interval", "600", "0"},
	} {
		w.patch(model.Settings, of[0], map[string]any{"value": chance(r, of[1:]...)})
	}
	if r.IntN(20) == 0 {
		w.patch(model.Settings, "concurrent-replica-rebuild-per-node-limit", map[string]any{"value": "0"})
	}
	for _, n := range names[1:] {
		switch r.IntN(14) {
		case 0:
			w.set(n, func(f *model.NodeFacts) { f.Unschedulable = true })
		case 1:
			w.patch(model.Nodes, n, map[string]any{"spec": map[string]any{"allowScheduling": false}})
		case 2:
			w.set(n, func(f *model.NodeFacts) { f.EngineImage = false })
		case 3:
			w.disks.at[n+main].others = 10 * gib
		case 4:
			w.patch(model.Nodes, n, map[string]any{"spec": map[string]any{"tags": []string{}}})
		case 5: // another machine under its name
			zone := w.nodes[n].Zone
			w.leave(n)
			w.run(10 * time.Second)
			w.join(n, zone, 40*gib)
			w.run(10 * time.Second)
		}
	}
}

// miss is a forecast that was wrong.
type miss struct {
	seed   uint64
	volume string
	why    string
	kind   string
}

// The kinds of misses, as docs/forecast.md names them.
const (
	byOrder     = "the order decides"
	byExpansion = "an expansion is awaited"
	byRule      = "not known"
)

// together is why a place is none for the plan, though the storage takes it.
const together = "lost together"

// alone forecasts one volume as if there were no other: empty if it fits.
func alone(s *cluster.Snapshot, volume, node string) (why string) {
	st := s.Storages[0]
	st.Volumes = slices.DeleteFunc(slices.Clone(st.Volumes), func(v cluster.Volume) bool { return v.Name != volume })
	for _, p := range (placement.Placer{}).Place(s, &st, node) {
		why += p.Why
	}
	return why
}

// kindOf says what kind of miss it is that the volume stays, or not: the order
// decides where the forecast of the volume by itself is right, or was before the
// others were moved and is after.
func kindOf(before, after *cluster.Snapshot, volume, node string, stays bool) string {
	switch why := alone(before, volume, node); {
	case (why != "") == stays, stays && alone(after, volume, node) != "":
		return byOrder
	case strings.Contains(why, "expanding"):
		return byExpansion
	default:
		return byRule
	}
}

// TestForecast_AgreesWithTheModelsScheduler forecasts the evacuation of a node,
// has the model do it, which places by code of its own, and compares.
func TestForecast_AgreesWithTheModelsScheduler(t *testing.T) {
	var right, rightly int // moved as forecast, stuck as forecast
	var hopeful, gloomy []miss
	nodes := map[[2]bool]int{}
	for seed := range *clusters {
		w, node := random(t, seed)
		s := w.snapshot()
		f := forecast.Evacuation(s, map[string]forecast.Placer{longhorn.Driver: placement.Placer{}}, node)
		stuck := map[string]string{}
		for _, p := range f.Stuck {
			if !strings.Contains(p.Why, together) {
				stuck[p.Volume] = p.Why
			}
		}
		before := w.on(node)
		w.patch(model.Nodes, node, map[string]any{"spec": map[string]any{"allowScheduling": false, "evictionRequested": true}})
		w.run(12 * time.Minute)
		after := w.on(node)
		for _, v := range slices.Sorted(maps.Keys(before)) {
			why, isStuck := stuck[v]
			switch stays := after[v]; {
			case !isStuck && !stays:
				right++
			case isStuck && stays:
				rightly++
			case stays:
				hopeful = append(hopeful, miss{seed, v, "it stays", kindOf(s, w.snapshot(), v, node, true)})
			default:
				gloomy = append(gloomy, miss{seed, v, why, kindOf(s, s, v, node, false)})
			}
		}
		nodes[[2]bool{len(stuck) == 0, len(after) == 0}]++
	}
	report(t, right, rightly, hopeful, gloomy)
	both, said, was := nodes[[2]bool{true, true}], nodes[[2]bool{true, false}], nodes[[2]bool{false, true}]
	t.Logf("%d clusters: %d nodes emptied as forecast, %d not as forecast, %d said to be emptied and not, %d said not to be and emptied: precision %.2f %%, recall %.2f %%",
		*clusters, both, nodes[[2]bool{false, false}], said, was, share(both, said), share(both, was))
	if wrong := said + was; wrong*100 > int(*clusters) {
		t.Errorf("%d of %d nodes were forecast wrongly, more than one in a hundred", wrong, *clusters)
	}
}

func share(right, wrong int) float64 { return float64(right) * 100 / float64(max(1, right+wrong)) }

// report prints what became of the volumes, and the misses by kind; one of a
// kind that is not known is an error.
func report(t *testing.T, right, rightly int, hopeful, gloomy []miss) {
	t.Logf("volumes: %d moved as forecast, %d stuck as forecast, %d said to move and stuck, %d said to be stuck and moved: precision %.2f %%, recall %.2f %%",
		right, rightly, len(hopeful), len(gloomy), share(right, len(hopeful)), share(right, len(gloomy)))
	for name, misses := range map[string][]miss{"hopeful": hopeful, "gloomy": gloomy} {
		kinds := map[string]int{}
		for _, m := range misses {
			if kinds[m.kind]++; m.kind == byRule {
				t.Errorf("%s: seed %d volume %s: %s", name, m.seed, m.volume, m.why)
			}
		}
		t.Logf("%s, by kind: %v", name, kinds)
	}
}
