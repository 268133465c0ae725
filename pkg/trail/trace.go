// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

const (
	kindNode  = "Node"
	kindClaim = "PersistentVolumeClaim"
)

// trace is one Event to be.
type trace struct {
	kind, namespace, name string
	uid                   types.UID
	reason, message       string
	warning               bool
	at                    time.Time
}

func onNode(ref cluster.NodeRef, reason, message string) trace {
	return trace{
		kind: kindNode, namespace: nodeNamespace, name: ref.Name, uid: types.UID(ref.UID), reason: reason, message: message,
	}
}

// traces says which Events a report is worth: what happened to a node, and
// what was done about a volume, on its claim.
func traces(r roll.Report) []trace {
	switch d := r.Decision.(type) {
	case decide.Remember:
		return ofNote(d.Note)
	case decide.Halt:
		if t := current(r.Memory); t != nil && r.Kind == roll.ReportHalted {
			tr := onNode(t.Node, "SafeRollHalted", d.Reason)
			tr.warning = true
			return []trace{tr}
		}
	case decide.Act:
		return ofVolume(r.Judgement, d.Action)
	case decide.Done:
		switch {
		case r.Kind != roll.ReportFinished:
		case d.Deletable != nil:
			return []trace{onNode(*d.Deletable, "SafeRollDeletable", d.Says)}
		case d.Rebootable != nil:
			return []trace{onNode(*d.Rebootable, "SafeRollRebootable", d.Says)}
		}
	}
	return nil
}

func current(m *decide.Memory) *decide.Turn {
	if m == nil {
		return nil
	}
	return m.Current()
}

func ofNote(n decide.Note) []trace {
	reason := map[decide.NoteKind]string{
		decide.TurnOpened: "SafeRollBegun", decide.Drained: "SafeRollDrained", decide.Joined: "SafeRollJoined",
		decide.Rebooted: "SafeRollRebooted",
	}[n.Kind]
	if n.Kind == decide.GatePassed {
		reason = map[decide.Gate]string{decide.GateDelete: "SafeRollDeletable", decide.GateReboot: "SafeRollRebootable"}[n.Gate]
	}
	if reason == "" || n.Node.UID == "" {
		return nil
	}
	return []trace{onNode(n.Node, reason, n.Says)}
}

// ofVolume is a deed on a volume, told on its claim where it has one. It is
// told when it is decided, which is right before it is done.
func ofVolume(j *assess.Judgement, a decide.Action) []trace {
	reason := map[decide.Verb]string{
		decide.Wake: "SafeRollWoken", decide.Sleep: "SafeRollLetSleep", decide.Prune: "SafeRollPruned",
	}[a.Verb]
	if reason == "" || j == nil {
		return nil
	}
	for i := range j.Volumes {
		v := &j.Volumes[i]
		if v.Volume.UID == a.Volume.UID && v.ClaimName != "" {
			return []trace{{kind: kindClaim, namespace: v.ClaimNamespace, name: v.ClaimName, reason: reason, message: a.Why}}
		}
	}
	return nil
}
