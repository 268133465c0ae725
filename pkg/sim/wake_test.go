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

// way is one of the ways in which a sleeping volume is rebuilt.
type way struct {
	old, kept bool
	// kill ends the tool as soon as it holds the user's volume; the same command is
	// then run again.
	kill bool
	// refused: the storage refuses the pod its volume until it is let go.
	refused bool
}

// TestWake_APodThatStartsMeanwhileGetsItsVolume: a sleeping volume is held awake
// to be rebuilt, by a ticket of ours, by the volume's own spec, or, where it can,
// by the storage; then its user logs in. Afterwards nothing is held and every
// setting is back.
func TestWake_APodThatStartsMeanwhileGetsItsVolume(t *testing.T) {
	for name, x := range map[string]way{
		"1.4, by the volume's spec":         {old: true, refused: true},
		"1.4, by the volume's spec, killed": {old: true, refused: true, kill: true},
		"1.8.1, by a ticket":                {},
		"1.8.1, by a ticket, killed":        {kill: true},
		"1.10, by the storage":              {kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wakeAndLogin(t, x) })
		})
	}
}

func wakeAndLogin(t *testing.T, x way) {
	c := Standard(3, 3)
	c.Roll, c.Old, c.Kept, c.Classes = 1, x.old, x.kept, []Class{Busy, Asleep, Asleep, Asleep}
	w, err := world(1, c)
	if err != nil {
		t.Fatal(err)
	}
	const user = "asleep-2"
	w.mu.Lock()
	w.model.SetRebuild(user, model.Rebuild{Duration: 4 * time.Minute})
	at := w.loginWhileAwake(user)
	w.mu.Unlock()
	r := Roll{Seed: 1, Case: c}
	if x.kill {
		r.Faults = []Faults{w.killedHolding(user)}
	}
	h, err := w.rolled(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if killed := len(h.Calls) > 1; killed != x.kill {
		t.Errorf("killed %t: %v calls", killed, h.Calls)
	}
	if refused := strings.Contains(strings.Join(h.Log, "\n"), "is refused its volume: invalid state attached"); refused != x.refused {
		t.Errorf("the pod was refused its volume: %t", refused)
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
		if w.heldByUs(v.Name) || v.Spec.DisableFrontend {
			t.Errorf("%s is still held by us, without a device: %t", v.Name, v.Spec.DisableFrontend)
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

// killedHolding ends a process at the third call after the one that took hold of
// the volume to have it rebuilt: the hold stands, and nothing is left to take it
// back.
func (w *World) killedHolding(volume string) Faults {
	holding := 0
	return Faults{At: func(Call) Fault {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.heldByUs(volume) && len(w.built) > 0 {
			holding++
		}
		if holding == 3 {
			return Fault{Harm: Kill}
		}
		return Fault{}
	}}
}
