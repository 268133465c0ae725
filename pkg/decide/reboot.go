// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// A reboot is a turn of a machine that comes back with its disks: the same UID
// and a new boot ID. Nothing is moved away, retired, pruned or created. What
// lies on its disks is not taken on trust afterwards: detached volumes are
// opened until the replicas there were seen read-write since the boot, and what
// failed meanwhile is rebuilt. Nothing is proven before: opened without the
// node, a detached volume would have its replica there marked as failed, and
// each would have to be rebuilt for nothing.
//
// The boot ID, not memory, says on which side of the reboot a turn is. One that
// the node does not report is no new one.

// beforeReboot and afterReboot are its phases, in order.
func beforeReboot() []step {
	return []step{
		{Undo, (*tick).yield},
		{Preflight, (*tick).onlyOneOut},
		{Return, (*tick).up},
		{Bar, (*tick).bar},
		{CordonIt, (*tick).mineToTake},
		{CordonIt, (*tick).cordon},
		{Drain, (*tick).drain},
		{Reboot, (*tick).astray},
		{MayReboot, (*tick).mayReboot},
		{Reboot, (*tick).mineToEnd},
		{Reboot, (*tick).reboot},
	}
}

func afterReboot() []step {
	return []step{
		{Undo, (*tick).yield},
		{Reboot, (*tick).noteRebooted},
		{Return, (*tick).up},
		{Return, (*tick).uncordoned},
		{Return, (*tick).disksBack},
		{Return, (*tick).unbarred},
		{Prove, (*tick).proveHere},
		{Rebuild, (*tick).rebuild},
		{Settle, (*tick).settle},
	}
}

func (t *tick) rebooting() []step {
	switch n := t.s.NodeByUID(t.planned.Node.UID); {
	case n == nil:
		return []step{{Return, (*tick).neverBack}}
	case n.BootID == "" || n.BootID == t.turn.Open.Boot:
		return beforeReboot()
	default:
		return afterReboot()
	}
}

// bootKnown refuses a reboot that could not be told from none.
func (t *tick) bootKnown() Decision {
	if n := t.s.NodeByUID(t.planned.Node.UID); !t.plan.Goal.Reboots() || n == nil || n.BootID != "" {
		return nil
	}
	return Halt{
		Exit:   ExitUnknown,
		Reason: "node " + t.node() + " does not report its boot ID, so a reboot could not be told from none",
		Remedy: "look at its kubelet (status.nodeInfo.bootID is empty)",
	}
}

// neverBack: its Node object is gone, so this is no reboot any more.
func (t *tick) neverBack() Decision {
	return Halt{
		Exit: ExitUnsafe,
		Reason: fmt.Sprintf("node %s (UID %s) was to be rebooted, and is not in the cluster any more",
			t.node(), t.planned.Node.UID),
		Remedy: "kubectl safe-roll abort ends this roll; what its volumes lack is healed before the first turn of the next run",
	}
}

// up waits for a machine that is down, whoever took it down.
func (t *tick) up() Decision {
	if n := t.j.Node(t.node()); n != nil && n.Live == cluster.Yes {
		return nil
	}
	return t.waitForReturn("node "+t.node()+" to be live", nil,
		"bring the machine back with its disks, then run the same command again; if it is lost: kubectl delete node "+t.node()+", then kubectl safe-roll abort")
}

func (t *tick) waitForReturn(what string, left []string, stuck string) Decision {
	return Wait{
		For: what, Left: left, Progress: fmt.Sprint(left),
		Limit: t.policy().JoinLimit, LimitName: "join limit", Stuck: stuck,
	}
}

// reboot has the machine go down, by the operator's command or by a person.
func (t *tick) reboot() Decision {
	if t.plan.Commands.Reboot != "" && !t.ran(RebootCommand) {
		return t.act(Action{
			Verb: RunCommand, Command: RebootCommand, ProviderID: t.planned.ProviderID, Boot: t.turn.Open.Boot,
			Why: "run the reboot command for " + t.node(),
		})
	}
	what := "node " + t.node() + " to come up with a new boot ID: reboot its machine now"
	if t.plan.Commands.Reboot != "" {
		what = "node " + t.node() + " to come up with a new boot ID"
	}
	return Wait{
		For: what, Progress: t.turn.Open.Boot,
		Limit: t.policy().RetireLimit, LimitName: "retirement limit",
		Stuck: "reboot the machine of " + t.node() + ", then run the same command again",
	}
}

// noteRebooted writes down every boot that is seen: what was proven before it
// proves nothing.
func (t *tick) noteRebooted() Decision {
	n := t.s.NodeByUID(t.planned.Node.UID)
	if t.turn.Boot == n.BootID {
		return nil
	}
	says := "node " + t.node() + " came up with a new boot ID"
	if _, ok := t.m.Passed[GateReboot]; !ok && len(t.turn.Ran) == 0 {
		says += ", and not by this run"
	}
	return Remember{Note: Note{Kind: Rebooted, Node: t.planned.Node, Boot: n.BootID, Says: says}}
}

// uncordoned takes our own cordon back before the storage is waited for, which
// may start nothing on a cordoned node.
func (t *tick) uncordoned() Decision { return t.putBack(Uncordon) }

// unbarred lets the storage place replicas there again, once its disks are back.
func (t *tick) unbarred() Decision { return t.putBack(Place) }

// putBack does the ways back of that verb that lead to the turn's node.
func (t *tick) putBack(v Verb) Decision {
	for _, u := range t.m.Undo {
		if u.Verb == v && u.Node == t.planned.Node {
			return t.act(u)
		}
	}
	return nil
}

// disksBack waits until the node's storage serves from the disks that it had.
func (t *tick) disksBack() Decision {
	if len(t.turn.Open.Disks) == 0 {
		return nil // it carried no storage
	}
	left := []string{unknownToStorage}
	for i := range t.s.Storages {
		for _, sn := range t.s.Storages[i].Nodes {
			if sn.Name == t.node() {
				left = t.lacksOld(sn)
			}
		}
	}
	if t.s.NodeByUID(t.planned.Node.UID).Cordoned && len(left) > 0 {
		left = append(left, "the node is cordoned, and not by this roll: its storage may wait for that")
	}
	if len(left) == 0 {
		return nil
	}
	return t.waitForReturn("the storage of "+t.node()+" to serve from the disks it had", left,
		"have the storage of "+t.node()+" serve from its disks again, then run the same command again; if a disk is lost: kubectl safe-roll abort")
}

// lacksOld lists what keeps a storage node from serving what it held.
func (t *tick) lacksOld(sn cluster.StorageNode) []string {
	var out []string
	if sn.Ready != cluster.Yes || sn.Deleting {
		out = append(out, "its storage is not ready: "+sn.ReadyReason)
	}
	if sn.Serving != cluster.Yes {
		out = append(out, "its data plane does not run")
	}
	for _, uuid := range t.turn.Open.Disks {
		back := slices.ContainsFunc(sn.Disks, func(d cluster.Disk) bool { return d.UUID == uuid && d.Ready == cluster.Yes })
		if !back {
			out = append(out, "its disk "+uuid+" is not back")
		}
	}
	return out
}

// proveHere opens detached volumes until each replica on the node was seen
// read-write since the boot. What is not good is the rebuild's to mend.
func (t *tick) proveHere() Decision {
	var waiting []string
	var parts []Part
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		unproven, fresh := t.unprovenHere(v)
		if len(unproven) == 0 {
			continue
		}
		if len(fresh) > 0 {
			return Remember{Note: Note{
				Kind: Proved, Node: t.planned.Node, Replicas: fresh,
				Says: "volume " + v.Volume.Name + " has its data on " + t.node() + " after the reboot",
			}}
		}
		if d := t.wake(v); d != nil {
			return d
		}
		p := t.part(v)
		parts = append(parts, p)
		waiting = append(waiting, p.line("not seen serving from "+t.node()+" since the reboot"))
	}
	if len(waiting) == 0 {
		return nil
	}
	if d := t.sleepers(); d != nil {
		return d
	}
	return t.waitForVolumes(Many(len(waiting), "volume")+" to be seen read-write on "+t.node(), waiting, parts)
}

// unprovenHere are the good replicas on the node that were not seen read-write
// since the boot, and those of them that are now.
func (t *tick) unprovenHere(v *assess.VolumeJudgement) (unproven, fresh []cluster.UID) {
	if v.Waived || v.Condition == assess.Going || v.Condition == assess.Unused {
		return nil, nil
	}
	for _, r := range v.Replicas {
		if r.Replica.Node != t.node() || r.Standing != cluster.StandingGood {
			continue
		}
		if at, ok := t.turn.Proved[r.Replica.UID]; ok && !at.Before(t.turn.BootedAt) {
			continue
		}
		unproven = append(unproven, r.Replica.UID)
		if r.ProvenSince(t.turn.BootedAt) {
			fresh = append(fresh, r.Replica.UID)
		}
	}
	return unproven, fresh
}

// sleepers takes back holds on volumes that have shown their data, so that
// others may be woken.
func (t *tick) sleepers() Decision {
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		if unproven, _ := t.unprovenHere(v); len(unproven) > 0 || !t.fullyRebuilt(v) {
			continue
		}
		if d := t.letSleep(v); d != nil {
			return d
		}
	}
	return nil
}

// stay plans a reboot: replicas stay where they are. So does an image that can
// be read there alone: no phase has it copied, and the gate would wait in vain.
func (d *draft) stay(t *PlannedTurn, f *TurnForecast) {
	t.Strategy, t.Why = policy.Stay, "it comes back with its disks"
	d.refuse(d.keepsFloor(t.Node)...)
	d.refuse(d.insists(t.Node, f)...)
	for _, x := range d.j.MayReboot(t.Node).Findings {
		if x.Code == assess.VolumeNoBase {
			d.refuse(x)
		}
	}
	d.onTrust(t.Node)
}

// onTrust notes that, should the disks not come back, volumes are left with
// copies that look good and were not read.
func (d *draft) onTrust(ref cluster.NodeRef) {
	n := 0
	for _, x := range d.j.MayDelete(ref, assess.Turn{}).Findings {
		if x.Code == assess.VolumeNotProven {
			n++
		}
	}
	if n == 0 {
		return
	}
	d.p.Notes = append(d.p.Notes, assess.Finding{
		Code: CodeOnTrust, Severity: assess.Note, Subject: assess.Subject{Kind: "Node", Name: ref.Name},
		Message: fmt.Sprintf("Should the disks of %s not come back, volumes (%d) are left with copies that look good and that nobody has read.", ref.Name, n),
	})
}
