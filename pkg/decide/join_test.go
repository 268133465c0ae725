// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func TestJoin_WaitsForStorageAndHaltsOnTheOldDisk(t *testing.T) {
	f, turn := gone()
	turn.Permitted = true
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	sn := &f.storage().Nodes[2]
	n := &f.s.Nodes[2]
	n.Created = f.now
	f.look()
	sn.Serving = cluster.No
	wantWait(t, f.next(), decide.Join)
	sn.Serving, sn.Disks[0].UUID = cluster.Yes, "disk1"
	wantWait(t, f.next(), decide.Join)
	f.pass(time.Hour) // what was known of the former one may live on for long
	if w := wantWait(t, f.next(), decide.Join); !strings.Contains(w.Stuck, "empty disk") {
		t.Errorf("stuck: %q", w.Stuck)
	}
	sn.Reported, sn.Ready = n.Created.Add(time.Minute), cluster.No
	wantWait(t, f.next(), decide.Join) // others wrote that it is not there
	sn.Ready = cluster.Yes
	if h := wantHalt(t, f.next(), decide.ExitUnsafe); h.Findings[0].Code != decide.CodeOldDisk {
		t.Errorf("%+v", h)
	}
	sn.Reported, sn.Created = time.Time{}, n.Created
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

// On Longhorn 1.8.1 a machine that joins under the same name within seconds is
// never made known: its manager found the dying object of the former one.
func TestJoin_SaysWhatToDoWhereTheStorageNeverKnowsTheNode(t *testing.T) {
	f, _ := gone()
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	f.storage().Nodes = f.storage().Nodes[:2]
	f.look()
	w := wantWait(t, f.next(), decide.Join)
	if !strings.Contains(w.Stuck, "restart the storage's own pods") {
		t.Errorf("stuck: %q", w.Stuck)
	}
}

// returned is a turn whose Node somebody deleted before anything was known of it,
// and whose machine came back with its disk, and the storage's object of it.
func returned(on ...int) (*fixture, *decide.Turn) {
	f := three(policy.Evict, on...)
	turn := f.opened()
	turn.RetiredAt = noon
	sn := &f.storage().Nodes[0]
	sn.Placement = cluster.Placement{Evacuate: true}
	back, _ := decide.Inverse(decide.Action{
		Verb: decide.Place, Driver: driver, Node: ref(1), StorageNode: decide.ObjectRef{Name: sn.Name, UID: sn.UID},
		Was: cluster.Placement{Accept: true}, To: sn.Placement,
	})
	f.mem.Undo = []decide.Action{back}
	f.pass(time.Minute)
	f.s.Nodes[0].Ref.UID, f.s.Nodes[0].Created = "again", f.now.Add(-30*time.Second)
	sn.Reported = f.now
	return f, turn
}

func TestJoin_DisksThatWereNotPermittedToGoAreNotToBeErased(t *testing.T) {
	for name, c := range map[string]struct {
		on     []int
		permit func(*decide.Turn)
		erase  bool
		names  bool // the volume
	}{
		"the only copy is there":                 {[]int{1}, func(*decide.Turn) {}, false, true},
		"nothing had said yet that it may go":    {[]int{1, 2, 3}, func(*decide.Turn) {}, false, false},
		"it had, and what is elsewhere is lost":  {[]int{1}, func(u *decide.Turn) { u.Permitted = true }, false, true},
		"it had":                                 {[]int{1, 2, 3}, func(u *decide.Turn) { u.Permitted = true }, true, false},
		"a command of ours ended it":             {[]int{1, 2, 3}, func(u *decide.Turn) { u.Begun = map[decide.CommandKind]time.Time{decide.RetireCommand: noon} }, true, false},
		"a command of ours made the replacement": {[]int{1, 2, 3}, func(u *decide.Turn) { u.Ran = map[decide.CommandKind]time.Time{decide.CreateCommand: noon} }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, turn := returned(c.on...)
			c.permit(turn)
			h := wantHalt(t, f.next(), decide.ExitUnsafe)
			code := map[bool]string{true: decide.CodeOldDisk, false: decide.CodeDisksBack}[c.erase]
			if h.Findings[0].Code != code || strings.Contains(h.Remedy, "empty disk") != c.erase || strings.Contains(h.Remedy, "abort") == c.erase {
				t.Errorf("%+v", h)
			}
			if has(h.Findings, assess.VolumeLastCopy) != c.names || c.names && !strings.Contains(h.Reason, "1 volume (v)") {
				t.Errorf("names the volume: %+v", h)
			}
			if decide.Returned(f.plan, f.s, f.mem) != ref(1).Name {
				t.Error("nobody sees that it came back")
			}
			f.storage().Nodes[0].Ready = cluster.No // its storage does not run yet
			if w := wantWait(t, f.next(), decide.Join); strings.Contains(w.Stuck, "empty disk") != c.erase {
				t.Errorf("stuck: %q", w.Stuck)
			}
		})
	}
}

func TestJoin_WhatTheStorageWasToldOfTheNodeIsPutBackForItsSuccessor(t *testing.T) {
	f, _ := returned(1, 2, 3)
	sn := &f.storage().Nodes[0]
	sn.Disks[0].UUID = "" // it has not told yet
	wantWait(t, f.next(), decide.Join)
	sn.Disks[0].UUID = "a new one"
	if a := wantAct(t, f.next(), decide.Place); !a.To.Accept || a.StorageNode.UID != sn.UID {
		t.Errorf("%+v", a)
	}
	f.mem.Undo[0].StorageNode.UID = "of the one before"
	wantWait(t, f.next(), decide.Join)
}

func TestNext_WhatOutlivesTheNodeIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fixture)
		gone   bool
	}{
		"the storage keeps it":          {func(f *fixture) { f.storage().KeepsNodes = cluster.Yes }, false},
		"it may":                        {func(*fixture) {}, false},
		"it does not":                   {func(f *fixture) { f.storage().KeepsNodes = cluster.No }, true},
		"it does not, and was taken up": {func(f *fixture) { f.storage().KeepsNodes = cluster.No; f.s.Nodes[0].Ref.Name = ref(1).Name }, false},
		"it is being deleted":           {func(f *fixture) { f.storage().Nodes[0].Deleting = true }, true},
	} {
		f := three(policy.Refill, 1, 2, 3)
		f.drained()
		f.s.Nodes[0].Ref = cluster.NodeRef{Name: "worker-9", UID: "new"}
		c.change(f)
		if n := wantNote(t, f.next(), decide.Retired); n.Gone != c.gone {
			t.Errorf("%s: gone %v", name, n.Gone)
		}
	}
}

// A create command may set the same machine up anew.
func TestCreate_NotWhileTheDisksOfANodeThatWasNotPermittedToGoAreNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		on     []int
		permit bool
		waits  bool
	}{
		"the only copy was there":   {[]int{1}, false, true},
		"it was permitted to go":    {[]int{1}, true, false},
		"there is enough elsewhere": {[]int{1, 2, 3}, false, false},
	} {
		for _, command := range []string{"create", ""} {
			f := three(policy.Evict, c.on...)
			turn := f.opened()
			turn.RetiredAt, turn.Permitted = noon, c.permit
			f.plan.Commands.Create = command
			f.removeNode(1)
			f.look()
			switch d := f.next(); {
			case c.waits:
				w := wantWait(t, d, decide.Create)
				if !strings.Contains(strings.Join(w.Left, " "), "olume v has 0 of the 1") || !strings.Contains(w.Stuck, "bring the machine back") {
					t.Errorf("%s: %+v", name, w)
				}
				f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
				f.look()
				if w, ok := f.next().(decide.Wait); ok && w.Phase == decide.Create {
					t.Errorf("%s: a replacement is there, and it waits: %+v", name, w)
				}
			case command == "":
				wantWait(t, d, decide.Join)
			default:
				wantAct(t, d, decide.RunCommand)
			}
		}
	}
}
