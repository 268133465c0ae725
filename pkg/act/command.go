// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

const (
	// termGrace is how long a command may clean up after its limit passed.
	termGrace = 10 * time.Second
	// pipeGrace comes on top of that: how long its output is waited for, since
	// something that it left in the background may hold the pipe open.
	pipeGrace = 2 * time.Second
)

// runCommand runs the operator's command once, if its node is still there, and
// for a reboot still the boot that shall end. A create command runs after the
// node is gone, so there is nothing to check.
func (a *Actor) runCommand(ctx context.Context, d decide.Action) (decide.Outcome, error) {
	line, err := a.commandLine(d.Command)
	if err != nil {
		return decide.Outcome{}, err
	}
	if d.Command != decide.CreateCommand {
		boot, here, err := a.bootOf(ctx, d.Node)
		switch {
		case err != nil:
			return beforeChange("node "+d.Node.Name, err)
		case !here:
			return *conflicting("node %s with UID %s is gone: the %s command was not run", d.Node.Name, d.Node.UID, d.Command), nil
		case d.Command == decide.RebootCommand && (d.Boot == "" || boot != d.Boot):
			return *conflicting("node %s was rebooted already: the %s command was not run", d.Node.Name, d.Command), nil
		}
	}
	if a.cfg.DryRun == DryRunServer {
		return decide.Outcome{Result: decide.Performed, Detail: "dry run: would run " + line}, nil
	}
	if a.cfg.Guard != nil {
		// No lock is known to outlast a command: that it is ours now must do.
		if err := a.cfg.Guard(0); err != nil {
			return decide.Outcome{Result: decide.Refused, Detail: fmt.Sprintf("the %s command was not run: %v", d.Command, err)}, nil
		}
	}
	return a.run(ctx, d, line)
}

func (a *Actor) commandLine(k decide.CommandKind) (string, error) {
	line := map[decide.CommandKind]string{
		decide.RetireCommand:  a.cfg.Commands.Retire,
		decide.CreateCommand:  a.cfg.Commands.Create,
		decide.ReplaceCommand: a.cfg.Commands.Replace,
		decide.RebootCommand:  a.cfg.Commands.Reboot,
	}[k]
	if line == "" {
		return "", fmt.Errorf("there is no %s command to run", k)
	}
	return line, nil
}

// run starts the command and waits for its end or its limit. Only the limit
// stops it: an interruption does not, because half a command is worse than a late
// one.
func (a *Actor) run(ctx context.Context, d decide.Action, line string) (decide.Outcome, error) {
	what := fmt.Sprintf("the %s command for node %s", d.Command, d.Node.Name)
	out := newOutput(a.cfg.Out, a.cfg.Err, fmt.Sprintf("[%s %s] ", d.Command, d.Node.Name))
	ctx, cancel := a.limited(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = append(os.Environ(),
		"SAFE_ROLL_RUN="+a.cfg.Run,
		"SAFE_ROLL_NODE="+d.Node.Name,
		"SAFE_ROLL_NODE_UID="+string(d.Node.UID),
		"SAFE_ROLL_PROVIDER_ID="+d.ProviderID,
		"SAFE_ROLL_BOOT_ID="+d.Boot,
	)
	cmd.Stdout, cmd.Stderr = out.out, out.err
	cmd.WaitDelay = a.grace + pipeGrace
	stop := ownGroup(cmd, a.grace)
	began := time.Now()
	err := cmd.Start()
	if err != nil {
		return decide.Outcome{}, fmt.Errorf("start %s: %w", what, err)
	}
	err = cmd.Wait()
	stop()
	said := out.end()
	took := time.Since(began).Round(time.Second / 10)
	switch {
	case succeeded(cmd): // also where its background children keep the pipe, or the limit came too late
		return decide.Outcome{Result: decide.Performed, Detail: fmt.Sprintf("%s ended well after %s", what, took)}, nil
	case ctx.Err() != nil:
		return decide.Outcome{}, fmt.Errorf("%s was stopped: %w; see whether the machine %s (provider ID %q) is as the command should leave it, then run the same command again%s",
			what, context.Cause(ctx), d.Node.Name, d.ProviderID, said)
	default:
		return decide.Outcome{}, fmt.Errorf("%s failed after %s: %w%s", what, took, err, said)
	}
}

func succeeded(cmd *exec.Cmd) bool {
	return cmd.ProcessState != nil && cmd.ProcessState.Success()
}
