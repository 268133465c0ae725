// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// TestWake_APodThatStartsGetsItsVolumeWithinSeconds: a user logs in while the
// volume is held awake to be rebuilt, by a ticket or, where there are none, by the
// volume's own spec.
func TestWake_APodThatStartsGetsItsVolumeWithinSeconds(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]model.Behaviour{"1.8.1": model.V181(), "1.4": model.V140()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wakeAndLogin(t, b)
		})
	}
}

// user is whose volume is slow to be rebuilt.
const user = "user-04"

func wakeAndLogin(t *testing.T, b model.Behaviour) {
	w, i := startAs(t, standin.Options{Behaviour: b}), small()
	i.Replicas = 3
	e := worldtest.Build(t, w, i)
	w.Standin.SetRebuild(user, model.Rebuild{Duration: 40 * time.Second})
	opened := make(chan struct{}, 100)
	_, end := begin(t, w, func(line string) {
		if strings.Contains(line, opens) {
			opened <- struct{}{}
		}
	}, rollOne()...)
	select {
	case <-opened:
	case <-time.After(3 * time.Minute):
		t.Error("the volume is never woken to be rebuilt")
	}
	time.Sleep(3 * time.Second) // it is attached by now
	if took := login(t, w, user); took > 20*time.Second {
		t.Errorf("the pod waited %s for its volume", took)
	} else {
		t.Logf("the pod runs %s after the login", took.Round(time.Second))
	}
	if code, said := end(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("still held: %v", awake)
	}
}

// opens is what the tool says when it wakes that volume to have it rebuilt.
const opens = "rebuild  volume " + user + " sleeps; it is opened"

// rollOne replaces a worker.
func rollOne() []string {
	return []string{
		"safe-roll", "run", "worker-1", "--yes", "--look-interval=4s", "--lock-duration=6s",
		"--retire-command=machine retire", "--create-command=machine create",
	}
}

// TestLetGo_AfterTheToolWasKilledHoldingAVolume: its user waits until abort --now,
// or the same command, lets go of it.
func TestLetGo_AfterTheToolWasKilledHoldingAVolume(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]model.Behaviour{"1.8.1": model.V181(), "1.4": model.V140()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killAndLetGo(t, b)
		})
	}
}

func killAndLetGo(t *testing.T, b model.Behaviour) {
	w, i := startAs(t, standin.Options{Behaviour: b}), small()
	i.Replicas = 3
	e := worldtest.Build(t, w, i)
	w.Standin.SetRebuild(user, model.Rebuild{Duration: time.Minute})
	kill := make(chan struct{}, 100)
	hand := func(line string) {
		if strings.Contains(line, opens) {
			kill <- struct{}{}
		}
	}
	killNow, end := beginToKill(t, w, hand, rollOne()...)
	select {
	case <-kill:
	case <-time.After(3 * time.Minute):
		t.Error("the volume is never woken to be rebuilt")
	}
	time.Sleep(2 * time.Second)
	killNow()
	if code, said := end(); code != -1 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	if held := heldByUs(t, w); len(held) == 0 {
		t.Fatal("nothing is held")
	}
	time.Sleep(18 * time.Second) // the dead one's lock runs out, and three times as long
	worldtest.Kubectl(t, w, 3, "safe-roll", "abort")
	said := worldtest.Kubectl(t, w, 0, "safe-roll", "abort", "--now")
	t.Log(said.All())
	worldtest.Named(t, said, []string{"Do not touch", "node worker-1: it is gone", "node worker-2: do not drain", "Go on with: kubectl safe-roll run"})
	if held := heldByUs(t, w); len(held) > 0 {
		t.Errorf("still held: %v", held)
	}
	t.Logf("the pod runs %s after the login", login(t, w, user).Round(time.Second))
	worldtest.Kubectl(t, w, 0, rollOne()...)
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if held := heldByUs(t, w); len(held) > 0 {
		t.Errorf("still held: %v", held)
	}
}

// login starts a user's pod and returns how long it took to run.
func login(t *testing.T, w *world.World, user string) time.Duration {
	t.Helper()
	began := time.Now()
	_, err := w.Kube.AppsV1().StatefulSets("default").Patch(t.Context(), user, types.MergePatchType,
		[]byte(`{"spec":{"replicas":1}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for time.Since(began) < 2*time.Minute {
		pods, err := w.Kube.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + user})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pods.Items {
			if p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
				return time.Since(began)
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("the pod of %s does not run", user)
	return 0
}
