// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// rollOptions are the flags of drain and run, completed.
type rollOptions struct {
	app      App
	conn     *connection
	display  string
	policy   *policyFlags
	planning planningFlags
	goal     decide.Goal
	// purpose is --for: replacement, reboot, or empty for what is in flight.
	purpose  string
	nodes    []string
	selector string
	commands decide.Commands
	// replacement is --replacement-selector, wanted what it says.
	replacement string
	wanted      map[string]string
	yes         bool
	output      string
	// metricsFile is where metrics are written; empty for nowhere.
	metricsFile string
	// commandEnded: the command that a program before began has ended.
	commandEnded bool
	// dryRun is none, client or server.
	dryRun string
}

func newDrain(app App, conn *connection, display string) *cobra.Command {
	o := &rollOptions{app: app, conn: conn, display: display, policy: newPolicyFlags(), goal: decide.UntilDeletable, output: outputText}
	cmd := &cobra.Command{
		Use:   "drain NODE",
		Short: `Take one node up to "may be deleted", or with --for=reboot to "may be rebooted"`,
		Long: `Cordons and drains one node and waits until no volume needs it, seen in two
looks. Where its replicas fit elsewhere they are moved away first; else every
volume keeps its floor of good replicas, and the data are proven to be served
without the node. Refuses before the first change where that is not possible.

The node's turn stays open: '` + display + ` run NODE' finishes it, and
'` + display + ` abort' puts back what was changed.`,
		Example: examples(display, "% drain worker-1", "% run worker-1 --retire-command=./retire.sh --create-command=./create.sh",
			"% drain worker-1 --for=reboot"),
		Args: exactly("one node"),
	}
	o.run(cmd)
	return cmd
}

func newRun(app App, conn *connection, display string) *cobra.Command {
	o := &rollOptions{app: app, conn: conn, display: display, policy: newPolicyFlags(), goal: decide.UntilReplaced, output: outputText}
	cmd := &cobra.Command{
		Use:   "run [NODE... | -l SELECTOR]",
		Short: "Replace or reboot nodes one after the other; without arguments, go on where a roll stopped",
		Long: `Replaces nodes in the order given: each is drained, goes, its replacement joins,
every volume is rebuilt, attached or not, and only when every volume is whole in
two looks comes the next one.

A machine goes and comes by --retire-command and --create-command, by
--delete-node, by one --replace-command (only where every replica was moved away
first), or by your hand: then run says when, and waits. Commands are run by
'sh -c' with SAFE_ROLL_RUN, SAFE_ROLL_NODE, SAFE_ROLL_NODE_UID and
SAFE_ROLL_PROVIDER_ID; they must be idempotent.

With --for=reboot or --reboot-command a machine comes back with its disks: the
node is drained while every volume keeps its floor elsewhere, goes down by the
command or your hand, and is put back to use when it is up with a new boot ID
and its disks. Its replicas are then seen read-write, and what failed is rebuilt.
The command also gets SAFE_ROLL_BOOT_ID, the boot that it shall end.

The same command after an interruption goes on where the facts say it is.`,
		Example: examples(display,
			"% run worker-1 worker-2 worker-3 --retire-command=./retire.sh --create-command=./create.sh",
			"% run -l node-role.kubernetes.io/worker --yes --replace-command=./replace.sh",
			"% run worker-1 worker-2 --reboot-command='ssh \"$SAFE_ROLL_NODE\" sudo systemctl reboot'",
			"% run                                   # go on"),
		Args: cobra.ArbitraryArgs,
	}
	f := cmd.Flags()
	f.StringVarP(&o.selector, "selector", "l", "", "replace the nodes that this label selector matches")
	o.planning.add(f)
	f.StringVar(&o.commands.Retire, "retire-command", "", "ends the machine and deletes its Node")
	f.StringVar(&o.commands.Create, "create-command", "", "makes the replacement")
	f.StringVar(&o.commands.Replace, "replace-command", "", "does both at once")
	f.StringVar(&o.commands.Reboot, "reboot-command", "", "reboots the machine; implies --for=reboot")
	f.BoolVar(&o.commands.DeleteNode, "delete-node", false, "delete the Node object; its machine is yours to end")
	f.BoolVar(&o.commandEnded, "command-ended", false,
		"where the program before was gone before its command had ended: the command has ended, and may be run again now")
	f.StringVar(&o.replacement, "replacement-selector", "", "recognise a replacement by these labels (key=value,...) instead of the old node's role labels")
	f.BoolVar(&o.policy.policy.Pause, "pause-between-nodes", false, "begin every turn but the first only when it was approved, here or by approve")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask; needed where there is no terminal")
	o.run(cmd)
	return cmd
}

// run adds what drain and run have in common.
func (o *rollOptions) run(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", o.output, "text, or json for one event a line on standard output")
	f.StringVar(&o.dryRun, "dry-run", dryRunNone, "client shows the plan and what would be done first; server also sends that with dryRun=All")
	f.StringVar(&o.conn.journalFile, "journal-file", "", "append every line of the journal that is written to this file too (JSON lines)")
	f.StringVar(&o.metricsFile, "metrics-file", "", "keep this file up to date in Prometheus' text format (for node exporter's textfile collector, or to push)")
	o.addPurpose(f)
	o.policy.rolling(f)
	o.conn.addProbe(f)
	addHabits(f)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.nodes = args
		if err := o.complete(cmd.Flags()); err != nil {
			return err
		}
		if err := o.validate(); err != nil {
			return err
		}
		return o.roll(cmd.Context())
	}
}

// roll finds out what the request means, asks, and rolls.
func (o *rollOptions) roll(ctx context.Context) error {
	book, err := o.conn.book()
	if err != nil {
		return failed(err)
	}
	h, _, err := book.Read(ctx)
	if err != nil {
		return failed(fmt.Errorf("the journal cannot be read: %w", err))
	}
	cfg := o.conn.engine(ctx, book)
	cfg.CommandEnded = o.commandEnded
	goOn := false
	if !h.Over() {
		if goOn, err = o.carryOn(ctx, h, &cfg); err != nil {
			return err
		}
	}
	plan, mem := record.Replay(h)
	if !goOn {
		mem = decide.Memory{}
		if plan, err = o.propose(ctx); err != nil {
			return err
		}
		cfg.Plan = &plan
	} else if cfg.Plan != nil {
		plan = *cfg.Plan
	} else {
		cfg.Expect = plan.Run // the question below may stay unanswered for long
	}
	o.lookAs(plan)
	if o.dryRun == dryRunClient {
		return o.rehearse(ctx, plan, mem)
	}
	if err := o.may(ctx); err != nil {
		return err
	}
	if o.dryRun == dryRunServer {
		return o.rehearse(ctx, plan, mem)
	}
	if err := o.confirm(ctx, plan, mem); err != nil {
		return err
	}
	return o.start(ctx, cfg, plan)
}

// confirm asks before a roll that deletes nodes, and shows those that are
// still to go.
func (o *rollOptions) confirm(ctx context.Context, plan decide.Plan, mem decide.Memory) error {
	if o.goal.StaysOpen() || o.yes {
		return nil
	}
	question := "Begin?"
	if len(mem.Turns) > 0 {
		question = "Go on?"
	}
	todo := remaining(plan, mem)
	plan.Turns = slices.DeleteFunc(slices.Clone(plan.Turns), func(t decide.PlannedTurn) bool {
		return !slices.Contains(todo, t.Node)
	})
	if err := view.Confirm(o.app.Streams.ErrOut, plan, styleOf(o.app.Streams.ErrOut)); err != nil {
		return failed(err)
	}
	return confirm(ctx, o.app, question)
}

// start rolls, tells what happens on the error stream, and prints the end.
func (o *rollOptions) start(ctx context.Context, cfg roll.Config, plan decide.Plan) error {
	w, err := o.watch(ctx)
	if err != nil {
		return failed(err)
	}
	world, err := o.conn.world(plan, w.progress.Lines(), cfg.Book.Guard, act.DryRunNone)
	if err != nil {
		w.close(o.app.Streams.ErrOut, exitError1)
		return failed(err)
	}
	defer world.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if asks(o.app) {
		cfg.Approvals = &asking{Approvals: cfg.Approvals, app: o.app, say: w.progress.Say, no: func() { stop(ErrInterrupted) }}
	}
	cfg.World, cfg.Watch = world, w.report
	heard := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrInterrupted) {
			w.progress.Say("interrupted: it stops at the next safe point; a second Ctrl-C ends the program at once, and the same command still goes on")
		}
	})
	res, err := roll.Run(ctx, cfg)
	heard()
	w.close(o.app.Streams.ErrOut, exitAfter(res, err))
	if err != nil {
		return o.broken(err, res)
	}
	return o.end(res, w)
}

// broken is a roll that ended with an error. What it changed is said, unless it is
// another's to look after by now.
func (o *rollOptions) broken(err error, res roll.Result) error {
	deleted := errors.Is(err, record.ErrJournalGone) || errors.Is(err, record.ErrLockGone)
	if len(res.Left) > 0 && o.output == outputText && (deleted || !errors.Is(err, record.ErrFenced)) {
		errOut := o.app.Streams.ErrOut
		said := view.Broken{Again: o.again(res.Plan), Left: res.Left, Deleted: deleted}.Text(errOut, styleOf(errOut))
		err = errors.Join(err, said)
	}
	switch {
	case errors.Is(err, record.ErrHeld):
		return &exitError{code: exitHeld, err: fmt.Errorf("%w. If that process is gone, the same command takes over then", err)}
	case errors.Is(err, roll.ErrNothing):
		return usagef("no roll is in flight: name the nodes to replace, or give a selector")
	case res.Exit == roll.ExitInterrupted:
		return &exitError{code: ExitInterrupted, err: err}
	default:
		return failed(err)
	}
}

// end prints how the roll ended: what was done on the output stream, a refusal
// on the error stream. Programs have been told by events.
func (o *rollOptions) end(res roll.Result, w *watch) error {
	if w.events != nil {
		if err := w.events.Err(); err != nil {
			return unsaid(res, fmt.Errorf("the events could not be written: %w", err))
		}
		return exited(res.Exit)
	}
	out, errOut := o.app.Streams.Out, o.app.Streams.ErrOut
	var err error
	switch d := res.Decision.(type) {
	case decide.Done:
		err = view.Result{
			Done: d, Plan: res.Plan, Memory: res.Memory, Judgement: w.last, Replicas: w.replicas, Took: time.Since(w.began),
		}.Text(out, styleOf(out))
	case decide.Halt:
		err = view.Halted{Halt: d, Left: res.Left, Catalogue: catalogue(o.app.Storages)}.Text(errOut, styleOf(errOut))
	default:
		err = view.Interrupted{Again: o.again(res.Plan), Left: res.Left}.Text(errOut, styleOf(errOut))
	}
	if err != nil {
		return unsaid(res, err)
	}
	return exited(res.Exit)
}

// again is the command that goes on.
func (o *rollOptions) again(p decide.Plan) string {
	if p.Goal.StaysOpen() && len(p.Turns) > 0 {
		again := o.display + " drain " + p.Turns[0].Node.Name
		if p.Goal.Reboots() {
			again += " --for=" + forReboot
		}
		return again
	}
	return o.display + " run"
}
