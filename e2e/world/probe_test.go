// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestProbe_SeesWhatObjectsCannotTell makes a small cluster in which no volume
// is attached, and lies to whoever reads its objects alone.
func TestProbe_SeesWhatObjectsCannotTell(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 5, Replicas: 2}
	e := worldtest.Build(t, w, i)
	if err := w.Stop(t.Context(), "prometheus"); err != nil {
		t.Fatal(err)
	}
	if !t.Run("a directory that is missing", func(t *testing.T) { missingDirectory(t, w) }) {
		return
	}
	t.Run("a drain that looks inside heals it first", func(t *testing.T) {
		short := worldtest.Truth(t, w).Short(e, i.Replicas)
		if len(short) != 1 {
			t.Fatalf("%v have too few copies, want one volume", short)
		}
		blind, seeing := worldtest.Kubectl(t, w, 0, "safe-roll", "plan", "worker-1").Out, worldtest.Kubectl(t, w, 0, "safe-roll", "plan", "worker-1", "--probe").Out
		if strings.Contains(blind, short[0]) || !strings.Contains(seeing, short[0]) {
			t.Errorf("a plan that looks inside must name %s, and no other:\n%s\n%s", short[0], blind, seeing)
		}
		t.Log(worldtest.Kubectl(t, w, 0, "safe-roll", "drain", "worker-1", "--probe", "--look-interval=4s").All())
		if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
			t.Errorf("%v still have too few copies", short)
		}
	})
	t.Run("nobody may look", func(t *testing.T) { mayNotLook(t, w) })
	t.Run("a node that was registered again", func(t *testing.T) { registeredAgain(t, w) })
}

// verified is what verify says as JSON, whatever the verdict.
func verified(t *testing.T, w *world.World, flags ...string) v1alpha1.Verification {
	t.Helper()
	said, err := w.Kubectl(t.Context(), append([]string{"safe-roll", "verify", "-o", "json"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	var v v1alpha1.Verification
	if err := json.Unmarshal([]byte(said.Out), &v); err != nil {
		t.Fatalf("%v\n%s", err, said.All())
	}
	return v
}

// replicasOn are the replicas on a node, by volume.
func replicasOn(v v1alpha1.Verification, node string) map[string]v1alpha1.Replica {
	out := map[string]v1alpha1.Replica{}
	for _, vol := range v.Volumes {
		for _, r := range vol.Replicas {
			if r.Node == node {
				out[vol.Name] = r
			}
		}
	}
	return out
}

// missingDirectory removes a replica's directory behind Longhorn's back: its
// disk is well, its objects are as they were.
func missingDirectory(t *testing.T, w *world.World) {
	t.Helper()
	const node = "worker-2"
	whole := verified(t, w, "--probe")
	for volume, r := range replicasOn(whole, node) {
		if r.Standing != "Good" || r.Proof != "Proven" {
			t.Fatalf("%s, which is there: %+v", volume, r)
		}
	}
	if whole.Verdict != "Safe" || len(replicasOn(whole, node)) < 2 {
		t.Fatalf("a whole cluster is %s: %+v", whole.Verdict, whole.Findings)
	}
	victim := ""
	for volume := range replicasOn(whole, node) {
		victim = max(victim, volume)
	}
	if err := w.RemoveData(t.Context(), node, victim); err != nil {
		t.Fatal(err)
	}

	plain := replicasOn(verified(t, w), node)[victim]
	if plain.Standing != "Good" || plain.Proof != "Plausible" {
		t.Errorf("without a look %s is %s, %s", victim, plain.Standing, plain.Proof)
	}
	said := worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
	if !strings.Contains(said.Out, "--probe looks into their directories") {
		t.Errorf("the look is not offered:\n%s", said.Out)
	}

	seen := replicasOn(verified(t, w, "--probe"), node)
	for volume, r := range seen {
		switch {
		case volume != victim && (r.Standing != "Good" || r.Proof != "Proven"):
			t.Errorf("%s, which is there: %+v", volume, r)
		case volume == victim && (r.Standing != "Absent" || r.Code != "replica/data-missing"):
			t.Errorf("%s, which is not there: %+v", volume, r)
		}
	}
	said = worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "--probe")
	if !strings.Contains(said.Out, victim) || !strings.Contains(said.Out, "its directory is not on its disk") {
		t.Errorf("the loss is not told:\n%s", said.Out)
	}
	t.Log(said.Out)
}

// mayNotLook asks as somebody who may read everything and look nowhere.
func mayNotLook(t *testing.T, w *world.World) {
	t.Helper()
	const user = "reader"
	worldtest.Kubectl(t, w, 0, "create", "clusterrole", user, "--verb=get,list,watch", "--resource=*.*")
	worldtest.Kubectl(t, w, 0, "create", "clusterrolebinding", user, "--clusterrole=view", "--user="+user)
	worldtest.Kubectl(t, w, 0, "create", "clusterrolebinding", user+"-all", "--clusterrole="+user, "--user="+user)
	kubeconfig, err := w.Cluster.UserKubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := w.KubectlAs(t.Context(), kubeconfig, "safe-roll", "verify")
	if err != nil || plain.Exit != 0 {
		t.Fatalf("a reader cannot verify: %v\n%s", err, plain.All())
	}
	said, err := w.KubectlAs(t.Context(), kubeconfig, "safe-roll", "verify", "--probe")
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit != 4 || !strings.Contains(said.Out, "needs the right to get and create pods/exec in namespace longhorn-system") {
		t.Errorf("exit %d, want 4 and the right\n%s", said.Exit, said.All())
	}
}

// registeredAgain deletes a Node, whose machine registers again within seconds,
// with its disk: every replica there is older than its node, and all but one are
// real.
func registeredAgain(t *testing.T, w *world.World) {
	t.Helper()
	const node = "worker-3"
	before := replicasOn(verified(t, w, "--probe"), node)
	victim := ""
	for volume := range before {
		victim = max(victim, volume)
	}
	if len(before) < 2 { // of twelve replicas on two nodes
		t.Fatalf("only %d replicas on %s", len(before), node)
	}
	time.Sleep(11 * time.Second) // the margin of the clocks: what follows is younger for certain
	worldtest.Kubectl(t, w, 0, "delete", "node", node)
	if err := w.RemoveData(t.Context(), node, victim); err != nil {
		t.Fatal(err)
	}
	if err := w.PowerOff(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	if err := w.PowerOn(t.Context(), node); err != nil {
		t.Fatal(err)
	}

	var plain, seen map[string]v1alpha1.Replica
	for limit := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		plain, seen = replicasOn(verified(t, w), node), replicasOn(verified(t, w, "--probe"), node)
		if settled(plain, seen, victim) {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("after a minute: without a look %+v\nwith one %+v", plain, seen)
		}
	}
	if len(seen) != len(before) {
		t.Errorf("%d replicas on %s, there were %d", len(seen), node, len(before))
	}
	said := worldtest.Kubectl(t, w, 4, "safe-roll", "verify")
	t.Log(said.Out)
	said = worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "--probe")
	t.Log(said.Out)
}

// settled: without a look every replica is unproven; with one all are proven but
// the victim, which is absent.
func settled(plain, seen map[string]v1alpha1.Replica, victim string) bool {
	for volume := range plain {
		r := seen[volume]
		want := r.Standing == "Good" && r.Proof == "Proven"
		if volume == victim {
			want = r.Standing == "Absent" && r.Code == "replica/data-missing"
		}
		if plain[volume].Standing != "Unproven" || !want {
			return false
		}
	}
	return len(plain) > 0
}
