// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// mostNoticed bounds how often one process writes down what others do: a node
// that comes and goes for hours must not fill the journal.
const mostNoticed = 200

// notice tells, and writes down, what others did since the look before. It
// judges nothing: what it means is decided from the facts themselves. A node is not
// gone because the list of them could not be read: such a look is passed over.
func (r *runner) notice(ctx context.Context, s *cluster.Snapshot) error {
	if slices.ContainsFunc(s.Gaps, func(g cluster.Gap) bool { return g.Kind == "nodes" }) {
		return nil
	}
	before := r.listed
	r.listed = s
	if before == nil || r.noticed >= mostNoticed {
		return nil
	}
	did := doings(before, s, r.mem)
	if len(did) == 0 {
		return nil
	}
	r.noticed++
	text := strings.Join(did, "; ")
	r.Watch(Report{Kind: ReportNoted, Text: text})
	return r.tell(ctx, record.Event{Kind: record.Noticed, Text: text})
}

// doings says what differs between two looks and is not our doing: nodes that
// come, go, fall silent, are cordoned or marked as about to go, what storage nodes are told to accept,
// and settings of a storage.
func doings(before, after *cluster.Snapshot, m decide.Memory) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	turn := cluster.NodeRef{}
	t := m.Current()
	if t != nil {
		turn = t.Node
	}
	for i := range after.Nodes {
		n := &after.Nodes[i]
		old := before.NodeByUID(n.Ref.UID)
		switch {
		case t != nil && after.NodeByUID(turn.UID) == nil && !slices.Contains(t.Open.Seen, n.Ref.UID):
			continue // the replacement is on its way
		case old == nil:
			say("node %s (UID %s) joined", n.Ref.Name, n.Ref.UID)
			continue
		case n.Cordoned != old.Cordoned && !ours(m, n):
			say("somebody %s node %s", map[bool]string{true: "cordoned", false: "uncordoned"}[n.Cordoned], n.Ref.Name)
		}
		out = append(out, marked(old, n, m)...)
		if n.Ref != turn && n.Ready != old.Ready {
			say("node %s %s", n.Ref.Name, map[bool]string{true: "is Ready again", false: "is not Ready any more (" + n.ReadyReason + ")"}[n.Ready == cluster.Yes])
		}
	}
	for i := range before.Nodes {
		if ref := before.Nodes[i].Ref; ref != turn && after.NodeByUID(ref.UID) == nil {
			say("node %s (UID %s) is gone", ref.Name, ref.UID)
		}
	}
	for i := range after.Storages {
		if old := before.Storage(after.Storages[i].Driver); old != nil {
			out = append(out, storageDoings(old, &after.Storages[i], m)...)
		}
	}
	return out
}

// marked says which marks by which others say that a node goes came, and which
// went. Those of a machine that our command has begun to end are its doing.
func marked(before, after *cluster.Node, m decide.Memory) []string {
	if t := m.Current(); t != nil && t.Node == after.Ref && t.Going() {
		return nil
	}
	var out []string
	had, has := assess.MarkedToGo(before), assess.MarkedToGo(after)
	for _, g := range has {
		if !slices.Contains(had, g) {
			out = append(out, fmt.Sprintf("somebody marked node %s with %s: %s", after.Ref.Name, g.Mark, g.Says))
		}
	}
	for _, g := range had {
		if !slices.Contains(has, g) {
			out = append(out, fmt.Sprintf("the mark %s on node %s is gone", g.Mark, after.Ref.Name))
		}
	}
	return out
}

// ours reports whether the node's cordon is as our last deed on it left it.
func ours(m decide.Memory, n *cluster.Node) bool {
	if m.Last == nil || m.Last.Node != n.Ref {
		return n.Cordoned && slices.ContainsFunc(m.Undo, func(a decide.Action) bool { return a.Verb == decide.Uncordon && a.Node == n.Ref })
	}
	return m.Last.Verb == decide.Cordon && n.Cordoned || m.Last.Verb == decide.Uncordon && !n.Cordoned
}

func storageDoings(before, after *cluster.Storage, m decide.Memory) []string {
	var out []string
	for _, sn := range after.Nodes {
		i := slices.IndexFunc(before.Nodes, func(o cluster.StorageNode) bool { return o.UID == sn.UID })
		if i < 0 || before.Nodes[i].Placement == sn.Placement {
			continue
		}
		placed := m.Last != nil && m.Last.Verb == decide.Place && m.Last.StorageNode.UID == sn.UID && m.Last.To == sn.Placement
		if !placed {
			out = append(out, fmt.Sprintf("somebody changed what storage node %s accepts (replicas %t, to be evacuated %t)",
				sn.Name, sn.Placement.Accept, sn.Placement.Evacuate))
		}
	}
	if m.Last != nil && m.Last.Knob.Name != "" {
		return out // a setting that we set aside or put back
	}
	for _, f := range after.Settings {
		i := slices.IndexFunc(before.Settings, func(o cluster.Fact) bool { return o.Name == f.Name })
		if i >= 0 && before.Settings[i].Value != f.Value {
			out = append(out, fmt.Sprintf("somebody changed the setting %s from %q to %q", f.Name, before.Settings[i].Value, f.Value))
		}
	}
	return out
}
