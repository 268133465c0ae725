// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A machine may come back under a new UID with the disks that it had: somebody
// deleted its Node, and its kubelet registered it again. Where the node had been
// permitted to go, an empty disk is what it needs. Where it had not, those disks
// may hold the only copy of a volume, and nobody must be told to erase them.

// GoneNote says that the turn's node is gone, and whether anything that a storage
// was told about it outlives it.
func GoneNote(s *cluster.Snapshot, t *Turn) Note {
	says := "node " + t.Node.Name + " is gone"
	if !t.MayErase() {
		says += ", and not by this run"
	}
	return Note{Kind: Retired, Node: t.Node, Gone: !outlives(s, t.Node.Name), Says: says}
}

// outlives reports whether a storage keeps its object of a node that is gone, or
// a machine of that name has taken it up; also where that is not known.
func outlives(s *cluster.Snapshot, name string) bool {
	if unread(s) {
		return true
	}
	for i := range s.Storages {
		st := &s.Storages[i]
		for k := range st.Nodes {
			if sn := &st.Nodes[k]; sn.Name == name && !sn.Deleting && (st.KeepsNodes != cluster.No || s.Node(name) != nil) {
				return true
			}
		}
	}
	return false
}

// unread reports whether anything is missing that every verdict rests on.
func unread(s *cluster.Snapshot) bool {
	return slices.ContainsFunc(s.Gaps, func(g cluster.Gap) bool { return g.Needed })
}

// Moot reports whether nothing is left that the way back could change: the object
// of the storage that it leads to is gone. Whatever bears its name is another one.
func Moot(a Action, s *cluster.Snapshot) bool {
	if a.Verb != Place || s == nil || unread(s) || s.Storage(a.Driver) == nil {
		return false
	}
	return !slices.ContainsFunc(s.Storage(a.Driver).Nodes, func(sn cluster.StorageNode) bool { return sn.UID == a.StorageNode.UID })
}

const (
	// emptyDisk is what to do about a disk of the retired node that may be erased,
	// keepDisk about one that may not.
	emptyDisk = "give the replacement an empty disk; start no workload whose replicas lie on it"
	keepDisk  = "erase none of its disks and do not end the machine; kubectl safe-roll abort gives this turn up and leaves the disks as they are; " +
		"then kubectl safe-roll verify --probe shows what lies on them, and a new run takes the node once no volume needs it"
)

// diskRemedy is what to do about a disk of the retired node.
func (t *tick) diskRemedy(name string) string {
	if t.turn.MayErase() && len(t.onlyThere(name)) == 0 {
		return emptyDisk
	}
	return keepDisk
}

// withItsDisks halts where the replacement has a disk of the retired node.
func (t *tick) withItsDisks(name string, f assess.Finding) Decision {
	only := t.onlyThere(name)
	why := "it went before it was known that no volume needs them"
	switch {
	case t.turn.MayErase() && len(only) == 0:
		return t.refuse([]assess.Finding{f}, emptyDisk)
	case len(only) > 0:
		names := make([]string, 0, len(only))
		for _, x := range only {
			names = append(names, x.Subject.Name)
		}
		why = "elsewhere too little is left of " + Many(len(only), "volume") + " (" + listed(names) + ")"
	}
	f.Code = CodeDisksBack
	f.Message = sentence("node %s came back as %s with the disk %s, and nothing permits erasing it: %s", t.node(), name, f.Evidence[1].Value, why)
	return Halt{Exit: ExitUnsafe, Reason: clause(f.Message), Findings: append([]assess.Finding{f}, only...), Remedy: keepDisk}
}

// mayStillBeNeeded waits where the node went before it was permitted to, and too
// little of a volume is left without it: whoever makes its successor, a command of
// ours or a person, may set the same machine up anew, and erase its disks.
func (t *tick) mayStillBeNeeded() Decision {
	if t.turn.MayErase() {
		return nil
	}
	only := t.onlyThere(t.node())
	if len(only) == 0 {
		return nil
	}
	left := messages(only)
	return Wait{
		For:  "the machine of " + t.node() + " to come back with its disks: it went before it was known that no volume needs them; set up no machine from them anew",
		Left: left, Progress: hash(fmt.Sprint(left)),
		Limit: t.policy().JoinLimit, LimitName: "join limit",
		Stuck: "bring the machine back with its disks, then kubectl safe-roll abort; where they are lost for good, see kubectl safe-roll explain volume/data-lost: " +
			"a volume whose loss is accepted must be deleted before the same command goes on",
	}
}

// onlyThere finds the volumes that have fewer good replicas than they need, on
// other nodes than that one and on other disks than the retired node's. One with no
// replica left counts: a directory of it may lie there.
func (t *tick) onlyThere(name string) []assess.Finding {
	var out []assess.Finding
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		if v.Condition == assess.Going || v.Condition == assess.Unused {
			continue
		}
		places := map[string]bool{}
		for _, r := range v.Replicas {
			if r.Standing == cluster.StandingGood && r.Replica.Node != name && r.Replica.Node != t.node() && !slices.Contains(t.turn.Open.Disks, r.Replica.DiskUUID) {
				places[r.Replica.DiskUUID] = true
			}
		}
		if len(places) >= v.Volume.Need {
			continue
		}
		out = append(out, assess.Finding{
			Code: assess.VolumeLastCopy, Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: v.Volume.Name},
			Message:  sentence("volume %s has %d of the %d good replicas that it needs without node %s: its data may lie on that node's disks alone", v.Volume.Name, len(places), v.Volume.Need, name),
			Evidence: []cluster.Fact{{Name: "replicas.goodElsewhere", Value: strconv.Itoa(len(places))}, {Name: "volume.condition", Value: fmt.Sprint(v.Condition)}},
		})
	}
	return out
}

// unbarredAgain puts back what the storage was told about the retired node where
// its replacement took the storage's object up, and would take no replicas.
func (t *tick) unbarredAgain(n *cluster.Node) Decision {
	for _, u := range t.m.Undo {
		if u.Verb == Place && u.Node == t.planned.Node && u.StorageNode.Name == n.Ref.Name && t.tells(u.Driver, u.StorageNode.UID) {
			return t.act(u)
		}
	}
	return nil
}

// tells reports whether the storage node is there, ready, and says what disks it has.
func (t *tick) tells(driver string, uid cluster.UID) bool {
	st := t.s.Storage(driver)
	return st != nil && slices.ContainsFunc(st.Nodes, func(sn cluster.StorageNode) bool {
		return sn.UID == uid && !sn.Deleting && sn.Ready == cluster.Yes &&
			slices.ContainsFunc(sn.Disks, func(d cluster.Disk) bool { return d.UUID != "" && d.Ready == cluster.Yes })
	})
}

// Returned names the machine that certainly has the disks of the open turn's node,
// which is gone; empty for none.
func Returned(p Plan, s *cluster.Snapshot, m Memory) string {
	t := &tick{plan: p, s: s, m: m, turn: m.Current()}
	if t.turn == nil {
		return ""
	}
	t.planned = PlannedTurn{Node: t.turn.Node}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if slices.Contains(t.turn.Open.Seen, n.Ref.UID) {
			continue
		}
		if _, certain := t.oldDisk(n); certain {
			return n.Ref.Name
		}
	}
	return ""
}
