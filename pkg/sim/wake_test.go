// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// userWaits is how long a user waits at most for a volume that is being rebuilt
// while it sleeps.
const userWaits = 20 * time.Second

// login is of a user in the very middle of the rebuilding of their volume.
type login struct{ began, ran time.Time }

// TestWake_APodThatStartsMeanwhileGetsItsVolume: a sleeping volume is held awake
// to be rebuilt, by a ticket of ours or, where the storage can, by the storage;
// then its user logs in. Afterwards nothing is held and every setting is back.
func TestWake_APodThatStartsMeanwhileGetsItsVolume(t *testing.T) {
	for name, kept := range map[string]bool{"1.8.1, by a ticket": false, "1.10, by the storage": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wakeAndLogin(t, kept) })
		})
	}
}

func wakeAndLogin(t *testing.T, kept bool) {
	c := Standard(3, 3)
	c.Roll, c.Kept, c.Classes = 1, kept, []Class{Busy, Asleep, Asleep, Asleep}
	w, err := world(1, c)
	if err != nil {
		t.Fatal(err)
	}
	const user = "asleep-2"
	w.mu.Lock()
	w.model.SetRebuild(user, model.Rebuild{Duration: 4 * time.Minute})
	at := w.loginWhileAwake(user)
	w.mu.Unlock()
	h, err := w.rolled(t.Context(), Roll{Seed: 1, Case: c})
	if err != nil {
		t.Fatal(err)
	}
	if h.Ending != Finished || len(h.Report.Violations) > 0 || len(h.Lost) > 0 || len(h.Missing()) > 0 {
		t.Errorf("%s %s, violations %v, lost %v, missing %v", h.Ending, h.Why, h.Report.Violations, h.Lost, h.Missing())
	}
	switch took := at.ran.Sub(at.began); {
	case at.began.IsZero():
		t.Error("the volume was never awake to be rebuilt")
	case at.ran.IsZero() || took > userWaits:
		t.Errorf("the pod waited %s for its volume", took)
	default:
		t.Logf("the pod runs %s after the login, and the roll ends after %s", took, h.Took)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.model.List(model.Volumes) {
		v := o.(*longhornapi.Volume)
		if v.Spec.OfflineRebuilding != "" && v.Spec.OfflineRebuilding != longhornapi.VolumeOfflineRebuildingDisabled && v.Spec.OfflineRebuilding != "ignored" {
			t.Errorf("%s is still to be rebuilt while it sleeps: %s", v.Name, v.Spec.OfflineRebuilding)
		}
		if awake := strings.HasPrefix(w.state(v.Name), "attached"); awake != (v.Name == user || v.Name == "busy-0") {
			t.Errorf("%s is %s", v.Name, w.state(v.Name))
		}
		for id := range w.tickets(v.Name) {
			if strings.HasPrefix(id, "safe-roll") {
				t.Errorf("%s is still held by %s", v.Name, id)
			}
		}
	}
}

// loginWhileAwake has the user of a volume log in when it has been attached for
// three seconds without a pod, after the new machine was made, and notes when the
// pod runs.
func (w *World) loginWhileAwake(volume string) *login {
	at := &login{}
	awake := 0
	var poll func()
	poll = func() {
		for _, l := range w.loads {
			if l.volume != volume {
				continue
			}
			if len(w.built) > 0 && w.state(volume) == "attached/degraded" && at.began.IsZero() { // it is being rebuilt
				awake++
			}
			switch {
			case at.began.IsZero() && awake >= 3:
				l.want, at.began, w.touched = 1, w.now, true
			case !at.began.IsZero() && w.running(l):
				at.ran = w.now
				return
			}
		}
		w.after(time.Second, poll)
	}
	w.after(time.Second, poll)
	return at
}
