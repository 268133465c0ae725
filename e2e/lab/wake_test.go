// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	holdBack = "replica-replenishment-wait-interval"
	// copyRate makes the larger volume take a minute to be copied.
	copyRate  = 500
	smallData = 4000
	largeData = 30_000
	// patience is what a pod may wait for the tool, on a busy machine.
	patience = 10 * time.Second
)

// TestWake_ADetachedVolumeIsRebuiltAndSleepsAgain: three replicas on three nodes,
// so that a turn must wake each detached volume to have it rebuilt. Longhorn's
// settings are its own: it waits ten minutes before it replaces a failed replica,
// unless nothing of it can come back, which is what a roll sees to.
func TestWake_ADetachedVolumeIsRebuiltAndSleepsAgain(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	if err := (scenario.Incident{Workers: 3}).Machines(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	e := scenario.Expected{}
	for name, size := range map[string]int{"awake": smallData, "asleep": smallData, "called": largeData} {
		data := append(bytes.Repeat([]byte("."), size), name...)
		used(t, w, scenario.Volume{Name: name, Replicas: 3, Bytes: 1 << 30}, data)
		e[name] = scenario.Sum(data)
	}
	for _, name := range []string{"asleep", "called"} {
		if err := w.Stop(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	w.Lab.Plane.SetRate(copyRate)
	t.Run("killed while volumes are held, and a pod calls for one", func(t *testing.T) { killedWhileAwake(t, w, e) })
	t.Run("the wait is set aside, and put back after a kill", func(t *testing.T) { withoutTheWait(t, w, e) })
}

func killedWhileAwake(t *testing.T, w *world.World, e scenario.Expected) {
	x := w.Watch(t.Context(), e, 3)
	began := time.Now()
	args := []string{
		"run", "worker-1", "--yes", "--look-interval=5s", shortLock,
		"--retire-command=machine retire", "--create-command=machine create",
	}
	first := begin(t, w, nil, args...)
	first.until("a rebuild", func() bool { return rebuilding(t, w, "called") != "" })
	first.kill()
	first.end()
	if now := held(t, w); !slices.Contains(now, "called") {
		t.Errorf("after the kill these are held: %v", now)
	}
	r := goesOn(t, w, "worker-1 · rebuild", args...)
	if rebuilding(t, w, "called") == "" {
		t.Error("the volume that is to be called for is not being rebuilt any more")
	}
	worldtest.Kubectl(t, w, 0, "scale", "statefulset", "called", "--replicas=1")
	since := time.Now()
	r.until("a volume let go", func() bool { return !slices.Contains(held(t, w), "called") })
	letGo := time.Since(since)
	// What comes then is Longhorn's: it detaches the volume, and attaches it.
	waited := runs(t, w, "called")
	t.Logf("called for: let go after %s, and the pod runs %s later", letGo.Round(time.Second), waited.Round(time.Second))
	if letGo > patience {
		t.Errorf("the volume was let go only after %s", letGo)
	}
	if exit := r.end(); exit != 0 {
		t.Fatalf("exit %d:\n%s", exit, r.all())
	}
	t.Log(r.all())
	took := time.Since(began)
	t.Logf("the turn took %s, with a kill", took.Round(time.Second))
	if took > 9*time.Minute {
		t.Errorf("the turn took %s: it waited for what cannot come back", took)
	}
	sleeps(t, w, "asleep")
	judge(t, x)
}

func withoutTheWait(t *testing.T, w *world.World, e scenario.Expected) {
	x := w.Watch(t.Context(), e, 3)
	during, killed := "", false
	kill := func(r *running, line string) {
		if !killed && strings.Contains(line, "worker-2 · rebuild") {
			during, killed = setting(t, w), true
			r.kill()
		}
	}
	began := time.Now()
	insist(t, w, kill, "run", "worker-2", "--yes", "--no-replenish-wait", "--look-interval=5s", shortLock,
		"--retire-command=machine retire", "--create-command=machine create")
	t.Logf("the turn took %s, with a kill", time.Since(began).Round(time.Second))
	if during != "0" {
		t.Errorf("during the rebuild the interval was %q", during)
	}
	if now := setting(t, w); now != "600" {
		t.Errorf("after the roll the interval is %q", now)
	}
	sleeps(t, w, "asleep")
	judge(t, x)
}

// goesOn starts the command until it is not kept out by the lock of a dead one,
// and returns when it has said the words.
func goesOn(t *testing.T, w *world.World, words string, args ...string) *running {
	t.Helper()
	for range maxStarts {
		r := begin(t, w, nil, args...)
		if r.reaches(func() bool { return r.hasSaid(words) }) {
			return r
		}
		if exit := r.end(); exit != 6 {
			t.Fatalf("exit %d:\n%s", exit, r.all())
		}
		time.Sleep(time.Second)
	}
	t.Fatal("the dead one's lock never ends")
	return nil
}

// setting is how long Longhorn waits for a failed replica, in seconds. It is
// asked from the tool's side too, so nothing is fatal.
func setting(t *testing.T, w *world.World) string {
	s, err := w.Longhorn.LonghornV1beta2().Settings(hollow.LonghornNamespace).Get(t.Context(), holdBack, metav1.GetOptions{})
	if err != nil {
		return err.Error()
	}
	return s.Value
}

// sleeps fails unless the volume is detached.
func sleeps(t *testing.T, w *world.World, volume string) {
	t.Helper()
	v, err := w.Longhorn.LonghornV1beta2().Volumes(hollow.LonghornNamespace).Get(t.Context(), volume, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Status.State != longhorn.VolumeStateDetached {
		t.Errorf("volume %s is %s", volume, v.Status.State)
	}
}

// held names the volumes that the tool holds awake, sorted.
func held(t *testing.T, w *world.World) []string {
	t.Helper()
	all, err := w.Longhorn.LonghornV1beta2().VolumeAttachments(hollow.LonghornNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, a := range all.Items {
		for id := range a.Spec.AttachmentTickets {
			if strings.HasPrefix(id, "safe-roll-") {
				out[a.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}
