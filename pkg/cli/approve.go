// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func newApprove(app App, conn *connection, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "approve [NODE]",
		Short: "Let a roll that pauses between nodes begin its next turn",
		Long: `A roll that was begun with --pause-between-nodes waits before every turn but the
first until somebody approves it: at its own terminal, or with this command from
any machine. With a node, only if that is the one that waits.`,
		Example: examples(display, "% run -l node-role.kubernetes.io/worker --pause-between-nodes", "% status", "% approve worker-2"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly("one node")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := conn.book()
			if err != nil {
				return failed(err)
			}
			h, _, err := b.Read(cmd.Context())
			if err != nil {
				return failed(fmt.Errorf("the journal cannot be read: %w", err))
			}
			run, node, err := awaited(h)
			if err != nil {
				return failed(err)
			}
			if len(args) > 0 && strings.TrimPrefix(args[0], "node/") != node.Name {
				return failed(fmt.Errorf("the turn of %s waits for approval, not that of %s; nothing was approved", node.Name, args[0]))
			}
			if err := b.Approve(cmd.Context(), run, node, conn.who); err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintf(app.Streams.Out, "The turn of %s is approved; whoever rolls begins it.\n", node.Name)
			return err
		},
	}
}

// awaited is the node whose turn waits for approval.
func awaited(h record.History) (run string, node cluster.NodeRef, err error) {
	if h.Over() {
		return "", node, errors.New("no roll is in flight, so there is nothing to approve")
	}
	plan, mem := record.Replay(h)
	todo := remaining(plan, mem)
	switch t := mem.Current(); {
	case !plan.Policy.Pause:
		return "", node, fmt.Errorf("run %s does not pause between nodes, so there is nothing to approve", plan.Run)
	case t != nil:
		return "", node, fmt.Errorf("the turn of %s is not over; the next one can be approved when it is", t.Node.Name)
	case len(mem.Turns) == 0 || len(todo) == 0:
		return "", node, errors.New("no turn waits for approval")
	}
	return plan.Run, todo[0], nil
}

// asking lets a person approve at the terminal of the roll, too.
type asking struct {
	record.Approvals
	app App
	say func(string)
	// no ends the roll at a safe point.
	no func()

	begin sync.Once
	mu    sync.Mutex
	node  cluster.NodeRef
	said  bool
}

// Approved asks the person once for each node, and whoever else may answer
// every time.
func (a *asking) Approved(ctx context.Context, run string, node cluster.NodeRef) (string, error) {
	a.begin.Do(func() { go a.listen() })
	a.mu.Lock()
	if a.node != node {
		a.node, a.said = node, false
		a.say("May the turn of " + node.Name + " begin? Type yes here, or approve it elsewhere; no ends the roll at this safe point.")
	}
	said := a.said
	a.mu.Unlock()
	if said {
		return "a person at the terminal of the roll", nil
	}
	return a.Approvals.Approved(ctx, run, node)
}

// listen reads what is typed. It ends with the input, or with the program.
func (a *asking) listen() {
	for lines := bufio.NewScanner(a.app.Streams.In); lines.Scan(); {
		word := strings.ToLower(strings.TrimSpace(lines.Text()))
		a.mu.Lock()
		asked := a.node != cluster.NodeRef{}
		a.said = a.said || asked && (word == "y" || word == "yes")
		a.mu.Unlock()
		if asked && (word == "n" || word == "no") {
			a.no()
		}
	}
}

// pauses refuses a flag that the roll in flight does not have.
func (o *rollOptions) pauses(stored decide.Plan) error {
	if !o.policy.policy.Pause || stored.Policy.Pause {
		return nil
	}
	return &exitError{code: exitUnsafe, err: fmt.Errorf(
		"refused: the roll in flight does not pause between nodes, and this command says --pause-between-nodes; leave the flag out, or abort first")}
}
