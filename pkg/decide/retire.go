// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// retire has the node go: by the operator's command, by deleting the Node, or
// by asking and waiting.
func (t *tick) retire() Decision {
	c := t.plan.Commands
	switch {
	case c.Replace != "" && !t.ran(ReplaceCommand):
		if left := t.replicasOn(t.node()); len(left) > 0 {
			return t.refuse([]assess.Finding{{
				Code: CodeReplicaStays, Severity: assess.Danger,
				Subject:  assess.Subject{Kind: "Node", Name: t.node()},
				Message:  sentence("%s is still on %s, and --replace-command leaves no moment to clean up", left[0], t.node()),
				Evidence: []cluster.Fact{{Name: "replicas", Value: strings.Join(left, ", ")}},
			}}, "use --retire-command and --create-command")
		}
		if fs := replaceKeeps(t.j, t.policy(), t.node()); len(fs) > 0 {
			return t.refuse(fs, "use --retire-command and --create-command")
		}
		return t.command(ReplaceCommand)
	case c.Retire != "" && !t.ran(RetireCommand):
		return t.command(RetireCommand)
	case c.DeleteNode:
		return t.act(Action{Verb: DeleteNode, Why: "no volume needs " + t.node()})
	}
	return Wait{
		For:      "node " + t.node() + " to be gone: delete its machine and its Node object now",
		Progress: "there", Limit: t.policy().RetireLimit, LimitName: "retirement limit",
		Stuck: "kubectl delete node " + t.node() + ", after its machine is gone; then run the same command again",
	}
}

func (t *tick) ran(k CommandKind) bool {
	_, ok := t.turn.Ran[k]
	return ok
}

func (t *tick) command(k CommandKind) Decision {
	return t.act(Action{
		Verb: RunCommand, Command: k, ProviderID: t.planned.ProviderID,
		Why: fmt.Sprintf("run the %s command for %s", k, t.node()),
	})
}

// noteRetired writes down that the machine is gone.
func (t *tick) noteRetired() Decision {
	if !t.turn.RetiredAt.IsZero() {
		return nil
	}
	return Remember{Note: GoneNote(t.s, t.turn)}
}

// create runs the operator's create command once. Where it was interrupted and
// its machine is there already, it is not run again. Nor is it begun while another
// command may be running that nobody sees: what a retire command does last may end
// the machine of that name, and that would be the new one.
func (t *tick) create() Decision {
	if t.ran(CreateCommand) || t.turn.Joined.UID != "" || t.replacement() != nil {
		return nil
	}
	if d := t.mayStillBeNeeded(); d != nil || t.plan.Commands.Create == "" {
		return d
	}
	if d := t.astray(); d != nil {
		return d
	}
	return t.command(CreateCommand)
}
