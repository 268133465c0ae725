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

// booting is three, with worker-1 to be rebooted by a command.
func booting(on ...int) *fixture {
	f := three(policy.Stay, on...)
	f.plan.Goal, f.plan.Commands.Reboot = decide.UntilRebooted, "reboot it"
	f.s.Nodes[0].BootID = "first"
	return f
}

// readyToBoot is that with the node barred, cordoned and empty.
func readyToBoot(on ...int) (*fixture, *decide.Turn) {
	f := booting(on...)
	turn := f.drained()
	turn.Open.Boot = "first"
	place := decide.Action{Verb: decide.Place, Driver: driver, Node: ref(1), StorageNode: decide.ObjectRef{Name: ref(1).Name, UID: "sn1"},
		Was: cluster.Placement{Accept: true}}
	cordon := decide.Action{Verb: decide.Cordon, Node: ref(1)}
	for _, a := range []decide.Action{place, cordon} {
		back, _ := decide.Inverse(a)
		f.mem.Undo = append([]decide.Action{back}, f.mem.Undo...)
	}
	return f, turn
}

// back is that after the boot, with everything put back.
func back(on ...int) (*fixture, *decide.Turn) {
	f, turn := readyToBoot(on...)
	f.s.Nodes[0].BootID, f.s.Nodes[0].Cordoned, f.mem.Undo = "second", false, nil
	f.storage().Nodes[0].Placement = cluster.Placement{Accept: true}
	f.pass(time.Minute)
	turn.Boot, turn.BootedAt = "second", f.now
	return f, turn
}

func TestReboot_NeedsTwoLooksAndNamesTheBootThatShallEnd(t *testing.T) {
	f, _ := readyToBoot(1, 2, 3)
	f.passGate(t)
	a := wantAct(t, f.next(), decide.RunCommand)
	if a.Command != decide.RebootCommand || a.Boot != "first" || a.Node != ref(1) || !a.Irreversible() {
		t.Errorf("%+v", a)
	}
	again := a
	again.Boot = "second"
	if a.Same(again) {
		t.Error("the end of another boot is the same deed")
	}
}

func TestReboot_TheGateStaysShutWhileAnythingIsAtStake(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fixture)
		says  string
	}{
		"below its floor": {func(f *fixture) { f.volume().Replicas[2].Claim = cluster.Failed }, "single copy"},
		"served from it":  {func(f *fixture) { f.volume().Engine.Node = ref(1).Name }, "still served"},
		"attached to it": {func(f *fixture) {
			f.s.Attachments = []cluster.Attachment{{Name: "a", Driver: driver, PV: "v", Node: ref(1).Name}}
		}, "VolumeAttachment"},
		"in the middle of it": {func(f *fixture) { f.volume().Busy = []string{"being restored"} }, "being restored"},
		"a rebuild elsewhere": {func(f *fixture) {
			f.addVolume("w", 2, 3)
			f.storage().Volumes[1].Replicas[1].Claim = cluster.Rebuilding
		}, "rebuilt"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := readyToBoot(1, 2, 3)
			c.spoil(f)
			p := assess.Judge(f.s, f.plan.Policy, f.now).MayReboot(ref(1))
			if p.Verdict == cluster.Safe {
				t.Fatal("it may be rebooted")
			}
			w := wantWait(t, f.next(), decide.MayReboot)
			if !strings.Contains(strings.Join(w.Left, "\n"), c.says) {
				t.Errorf("%q does not say %q", w.Left, c.says)
			}
		})
	}
}

func TestReboot_ADrainForItEndsAtTheGate(t *testing.T) {
	f, _ := readyToBoot(1, 2, 3)
	f.plan.Goal = decide.UntilRebootable
	f.passGate(t)
	d, ok := f.next().(decide.Done)
	if !ok || d.Rebootable == nil || *d.Rebootable != ref(1) || d.Deletable != nil {
		t.Fatalf("%+v", d)
	}
}

func TestReboot_WhoeverIsToDoItIsToldAndWaitedFor(t *testing.T) {
	f, turn := readyToBoot(1, 2, 3)
	f.plan.Commands.Reboot = ""
	f.passGate(t)
	if w := wantWait(t, f.next(), decide.Reboot); !strings.Contains(w.For, "reboot its machine now") {
		t.Error(w.For)
	}
	f.plan.Commands.Reboot, turn.Ran = "reboot it", map[decide.CommandKind]time.Time{decide.RebootCommand: noon}
	if w := wantWait(t, f.next(), decide.Reboot); strings.Contains(w.For, "now") {
		t.Errorf("the command has run: %s", w.For)
	}
	f.s.Nodes[0].Ready = cluster.Unknown
	wantWait(t, f.next(), decide.Return)
}

func TestReboot_ADarkMachineIsWaitedForAndNotTouched(t *testing.T) {
	f := booting(1, 2, 3)
	f.opened().Open.Boot = "first"
	f.s.Nodes[0].Ready = cluster.No
	w := wantWait(t, f.next(), decide.Return)
	if w.Limit != f.plan.Policy.JoinLimit || !strings.Contains(w.Stuck, "bring the machine back") {
		t.Errorf("%+v", w)
	}
}

func TestReboot_ABootThatIsNotReportedIsNone(t *testing.T) {
	f := booting(1, 2, 3)
	f.s.Nodes[0].BootID = ""
	if h := wantHalt(t, f.next(), decide.ExitUnknown); !strings.Contains(h.Reason, "boot ID") {
		t.Error(h.Reason)
	}
	f, _ = readyToBoot(1, 2, 3)
	f.s.Nodes[0].BootID = ""
	wantNote(t, f.next(), decide.LookTaken) // still before the reboot
}

func TestReboot_AfterTheBootItIsNotedPutBackAndProven(t *testing.T) {
	f, turn := readyToBoot(1, 2, 3)
	f.s.Nodes[0].BootID = "second"
	n := wantNote(t, f.next(), decide.Rebooted)
	if n.Boot != "second" || !strings.Contains(n.Says, "not by this run") {
		t.Errorf("%+v", n)
	}
	turn.Boot, turn.BootedAt = n.Boot, f.now

	f.s.Nodes[0].Ready = cluster.Unknown
	wantWait(t, f.next(), decide.Return)
	f.s.Nodes[0].Ready = cluster.Yes
	wantAct(t, f.next(), decide.Uncordon)
	f.s.Nodes[0].Cordoned, f.mem.Undo = false, f.mem.Undo[1:]

	f.storage().Nodes[0].Serving = cluster.No
	wantWait(t, f.next(), decide.Return)
	f.storage().Nodes[0].Serving = cluster.Yes
	a := wantAct(t, f.next(), decide.Place)
	if !a.To.Accept || a.Was.Accept {
		t.Errorf("%+v", a)
	}
	f.storage().Nodes[0].Placement, f.mem.Undo = cluster.Placement{Accept: true}, nil

	if a := wantAct(t, f.next(), decide.Wake); a.HoldNode == ref(1).Name {
		t.Errorf("%+v", a)
	}
	f.pass(time.Second)
	f.attach(2, ourHold)
	f.volume().Replicas[0].Claim = cluster.Serving
	p := wantNote(t, f.next(), decide.Proved)
	if len(p.Replicas) != 1 || p.Replicas[0] != "v-r1" {
		t.Errorf("%v", p.Replicas)
	}
	turn.Proved["v-r1"] = f.now
	wantAct(t, f.next(), decide.Sleep)
}

func TestReboot_TheDisksMustBeTheOnesItHad(t *testing.T) {
	for name, spoil := range map[string]func(*cluster.StorageNode){
		"another disk":  func(n *cluster.StorageNode) { n.Disks[0].UUID = "blank" },
		"not ready":     func(n *cluster.StorageNode) { n.Disks[0].Ready = cluster.No },
		"no disk":       func(n *cluster.StorageNode) { n.Disks = nil },
		"storage is no": func(n *cluster.StorageNode) { n.Ready = cluster.Unknown },
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := back(1, 2, 3)
			spoil(&f.storage().Nodes[0])
			wantWait(t, f.next(), decide.Return)
		})
	}
}

func TestReboot_WhatWasProvenBeforeTheBootProvesNothing(t *testing.T) {
	f, turn := back(1, 2, 3)
	turn.Proved["v-r1"] = turn.BootedAt.Add(-time.Second)
	wantAct(t, f.next(), decide.Wake)
	turn.Proved["v-r1"] = turn.BootedAt
	wantNote(t, f.next(), decide.LookTaken)
	f.s.Nodes[0].BootID = "third"
	wantNote(t, f.next(), decide.Rebooted)
}

func TestReboot_WhatFailedIsRebuiltBeforeTheTurnCloses(t *testing.T) {
	f, _ := back(1, 2, 3)
	f.volume().Replicas[0].Claim = cluster.Failed
	wantAct(t, f.next(), decide.Wake) // asleep, nobody else would
	f.attach(2, ourHold)
	f.volume().Replicas[0].Claim = cluster.Rebuilding
	wantWait(t, f.next(), decide.Rebuild)
}

func TestReboot_ClosesWhenEverythingIsWholeInTwoLooks(t *testing.T) {
	f, turn := back(1, 2, 3)
	turn.Proved["v-r1"] = f.now
	f.passGate(t)
	n := wantNote(t, f.next(), decide.TurnClosed)
	if !strings.Contains(n.Says, "was rebooted") {
		t.Error(n.Says)
	}
	turn.ClosedAt = f.now
	if d, ok := f.next().(decide.Done); !ok || !strings.Contains(d.Says, "rebooted") {
		t.Errorf("%+v", d)
	}
}

func TestReboot_ANodeThatIsAnotherOneHalts(t *testing.T) {
	f, _ := readyToBoot(1, 2, 3)
	f.removeNode(1)
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	f.look()
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

func TestReboot_IsRefusedWhereAVolumeWouldFallBelowItsFloor(t *testing.T) {
	f := booting(1, 2)
	req := decide.Request{Run: "r", Goal: decide.UntilRebooted, Nodes: []cluster.NodeRef{ref(1)}, Policy: policy.Default()}
	judge := func() *assess.Judgement { return assess.Judge(f.s, req.Policy, f.now) }
	if _, refused := decide.Propose(judge(), req, nil); len(refused) == 0 || refused[0].Code != assess.VolumeOneCopy {
		t.Errorf("one of two copies is left: %+v", refused)
	}
	req.Policy.Accepted = []policy.Risk{{Code: assess.VolumeOneCopy, Name: "v"}}
	p, refused := decide.Propose(judge(), req, nil)
	if len(refused) > 0 || p.Turns[0].Strategy != policy.Stay {
		t.Errorf("it was accepted by name: %+v %+v", p.Turns, refused)
	}
}

func TestCarryOn_AReboot(t *testing.T) {
	f, _ := readyToBoot(1, 2, 3)
	drain := f.plan
	drain.Goal, drain.Commands = decide.UntilRebootable, decide.Commands{}
	req := func(g decide.Goal) decide.Request {
		return decide.Request{Goal: g, Commands: decide.Commands{Reboot: "x"}, Policy: policy.Default()}
	}
	how, wide, _ := decide.CarryOn(drain, f.mem, []string{"worker-1"}, req(decide.UntilRebooted))
	if how != decide.CarryWiden || wide.Goal != decide.UntilRebooted || wide.Commands.Reboot != "x" {
		t.Errorf("run after drain: %v %+v", how, wide)
	}
	if how, _, why := decide.CarryOn(drain, f.mem, []string{"worker-1"}, req(decide.UntilReplaced)); how != decide.CarryRefused || !strings.Contains(why, "--for") {
		t.Errorf("a replacement after it was drained for a reboot: %v %s", how, why)
	}
	if how, _, why := decide.CarryOn(f.plan, f.mem, []string{"worker-1"}, req(decide.UntilRebooted)); how != decide.CarryRefused || !strings.Contains(why, "--reboot-command") {
		t.Errorf("another command: %v %s", how, why)
	}
}

func draftReboot(f *fixture) decide.Proposal {
	req := decide.Request{Run: "r", Goal: decide.UntilRebooted, Nodes: []cluster.NodeRef{ref(1)}, Policy: policy.Default()}
	return decide.Draft(assess.Judge(f.s, req.Policy, f.now), req, nil)
}

func TestReboot_IsRefusedWhereAnImageInUseIsReadableThereAlone(t *testing.T) {
	f := booting(1, 2, 3)
	f.volume().Base = "image"
	f.storage().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: f.volume().Replicas[0].DiskUUID, Ready: cluster.Yes}}}}
	if no := draftReboot(f).Refused; len(no) != 1 || no[0].Code != assess.VolumeNoBase {
		t.Errorf("%+v", no)
	}
	f.storage().Bases[0].Copies = append(f.storage().Bases[0].Copies, cluster.BaseCopy{DiskUUID: f.volume().Replicas[1].DiskUUID, Ready: cluster.Yes})
	if no := draftReboot(f).Refused; len(no) > 0 {
		t.Errorf("there is a copy elsewhere: %+v", no)
	}
}

func TestReboot_ThePlanSaysWhatIsLeftOnTrust(t *testing.T) {
	f := booting(1, 2, 3)
	says := func() int {
		p := draftReboot(f)
		if len(p.Refused) > 0 {
			t.Fatalf("%+v", p.Refused)
		}
		n := 0
		for _, x := range p.Notes {
			if x.Code == decide.CodeOnTrust {
				n++
			}
		}
		return n
	}
	if n := says(); n != 1 {
		t.Errorf("of a volume asleep it is said %d times", n)
	}
	f.attach(2, cluster.Hold{})
	f.volume().Replicas[0].Claim = cluster.Serving
	if n := says(); n != 0 {
		t.Errorf("of a volume that is served from elsewhere it is said %d times", n)
	}
}
