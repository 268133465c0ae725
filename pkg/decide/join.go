// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// join waits for the replacement: a node that was not there when the turn
// opened, live, with its storage serving from a disk that was never the
// retired node's.
func (t *tick) join() Decision {
	if t.turn.Joined.UID != "" && t.s.NodeByUID(t.turn.Joined.UID) != nil {
		return nil
	}
	n := t.replacement()
	if n == nil {
		return t.waitToJoin(fmt.Sprintf("a replacement of %s to join", t.node()), nil, "none")
	}
	missing := t.missing(n)
	if f, certain := t.oldDisk(n.Node); f != nil {
		if certain {
			return t.withItsDisks(n.Node.Ref.Name, *f)
		}
		missing = append(missing, "its storage still lists the disk "+f.Evidence[1].Value+ofRetired+t.node())
	} else if d := t.unbarredAgain(n.Node); d != nil {
		return d
	}
	if len(missing) > 0 {
		return t.waitToJoin("replacement "+n.Node.Ref.Name+" to be ready", missing, fmt.Sprint(n.Node.Ref.UID, missing))
	}
	return Remember{Note: Note{
		Kind: Joined, Node: n.Node.Ref,
		Says: fmt.Sprintf("%s (UID %s) takes the place of %s", n.Node.Ref.Name, n.Node.Ref.UID, t.node()),
	}}
}

func (t *tick) waitToJoin(what string, left []string, progress string) Decision {
	stuck := "add a node with the same role labels; then run the same command again"
	if t.plan.Commands.Create != "" || t.plan.Commands.Replace != "" {
		stuck = "the command ended or was interrupted, and no node joined: finish its work by hand, then run the same command again"
	}
	switch {
	case slices.ContainsFunc(left, func(l string) bool { return strings.Contains(l, ofRetired) }):
		stuck = t.diskRemedy(t.node())
	case slices.Contains(left, unknownToStorage):
		stuck = "restart the storage's own pods on it: those that started while the storage still knew the former node of that name may never make the new one known"
	}
	return Wait{
		For: what, Left: left, Progress: progress,
		Limit: t.policy().JoinLimit, LimitName: "join limit", Stuck: stuck,
	}
}

// replacement finds the first node that the turn had not seen and that looks
// like the old one: by the selector where one was given, else by its roles.
func (t *tick) replacement() *assess.NodeJudgement {
	want := t.plan.Selector
	if len(want) == 0 {
		want = t.planned.Roles
	}
	for i := range t.j.Nodes {
		n := &t.j.Nodes[i]
		if slices.Contains(t.turn.Open.Seen, n.Node.Ref.UID) || slices.Contains(t.turn.Open.Names, n.Node.Ref.Name) ||
			t.joinedElsewhere(n.Node.Ref) {
			continue
		}
		fits := !n.Node.Deleting
		for k, v := range want {
			if have, ok := n.Node.Labels[k]; !ok || have != v {
				fits = false
			}
		}
		if fits {
			return n
		}
	}
	return nil
}

// joinedElsewhere: it is already the replacement of another turn.
func (t *tick) joinedElsewhere(ref cluster.NodeRef) bool {
	for i := range t.m.Turns {
		if t.m.Turns[i].Joined == ref && t.m.Turns[i].Node != t.planned.Node {
			return true
		}
	}
	return false
}

// unknownToStorage is what a node lacks that joined before its storage did.
const unknownToStorage = "the storage does not know the node yet"

// missing lists what the replacement still lacks.
func (t *tick) missing(n *assess.NodeJudgement) []string {
	var out []string
	if n.Live != cluster.Yes {
		out = append(out, "the node is not known to be live")
	}
	if n.Node.Cordoned {
		out = append(out, "the node is cordoned")
	}
	if len(t.turn.Open.Disks) == 0 {
		return out // the old node carried no storage
	}
	for i := range t.s.Storages {
		for _, sn := range t.s.Storages[i].Nodes {
			if sn.Name == n.Node.Ref.Name {
				return append(out, lacks(sn)...)
			}
		}
	}
	return append(out, unknownToStorage)
}

// lacks lists what keeps a storage node from taking replicas.
func lacks(sn cluster.StorageNode) []string {
	var out []string
	if sn.Ready != cluster.Yes || sn.Deleting {
		out = append(out, "its storage is not ready: "+sn.ReadyReason)
	}
	if sn.Serving != cluster.Yes {
		out = append(out, "its data plane does not run")
	}
	if !sn.Placement.Accept {
		out = append(out, "its storage accepts no replicas")
	}
	reasons := ""
	for _, d := range sn.Disks {
		if d.Ready == cluster.Yes && d.Schedulable == cluster.Yes && d.UUID != "" {
			return out
		}
		if d.ReadyReason != "" {
			reasons += ": disk " + d.Name + " " + d.ReadyReason
		}
	}
	return append(out, "it has no schedulable disk"+reasons)
}

// ofRetired is how a disk of the retired node is told, to the finding's readers and
// in a wait.
const ofRetired = " of the retired "

// oldDisk finds a disk of the retired node in its replacement. It is certain
// where the replacement's own storage reports it: what the storage knew of the
// node before may live on under the same name until its successor reports.
func (t *tick) oldDisk(n *cluster.Node) (found *assess.Finding, certain bool) {
	name := n.Ref.Name
	for i := range t.s.Storages {
		for _, sn := range t.s.Storages[i].Nodes {
			if sn.Name != name || sn.Deleting {
				continue
			}
			for _, d := range sn.Disks {
				if slices.Contains(t.turn.Open.Disks, d.UUID) {
					return &assess.Finding{
						Code: CodeOldDisk, Severity: assess.Danger,
						Subject:  assess.Subject{Kind: "Node", Name: name},
						Message:  sentence("replacement %s reports the disk %s", name, d.UUID+ofRetired+t.node()),
						Evidence: []cluster.Fact{{Name: "disk", Value: d.Name}, {Name: "diskUUID", Value: d.UUID}},
					}, t.reportsItself(&sn, n)
				}
			}
		}
	}
	return nil, false
}

// reportsItself reports whether what is known of the storage node comes from the
// machine that bears its name now: the object was made after the Node was, or it
// is ready and has changed since, by more than the clocks may differ. While the
// machine's own storage does not run, others write what they know of it.
func (t *tick) reportsItself(sn *cluster.StorageNode, n *cluster.Node) bool {
	made := !sn.Created.IsZero() && !sn.Created.Before(n.Created)
	return made || sn.Ready == cluster.Yes && sn.Reported.After(n.Created.Add(t.policy().ClockSkew))
}
