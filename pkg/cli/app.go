// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// App is what main gives to the commands.
type App struct {
	Streams genericiooptions.IOStreams
	// Program is argv[0]: run as a plugin, usage is spelled as kubectl's.
	Program string
	Version string
	// Storages are the storage systems that safe-roll knows.
	Storages []plugin.Storage
}

// Run runs one command line and returns the exit code. What went wrong has
// been written to the error stream by then. ctx ends when a person interrupts;
// its cause says so.
func Run(ctx context.Context, app App, args []string) int {
	root := newRoot(app)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var e *exitError
	if !errors.As(err, &e) {
		// Whatever is not ours comes from cobra before a command runs.
		e = usage(err)
	}
	if e.code == exitError1 && interrupted(ctx, e.err) {
		e = &exitError{code: ExitInterrupted, err: errors.New("interrupted before anything was changed")}
	}
	if unread(e.err) {
		if e.code == exitError1 || e.code == exitUsage {
			return exitUnread
		}
		return e.code
	}
	if e.err != nil {
		fmt.Fprintln(app.Streams.ErrOut, "Error: "+printableLines(e.err.Error()))
	}
	if e.code == exitUsage {
		fmt.Fprintf(app.Streams.ErrOut, "See '%s --help'.\n", helpFor(root, args))
	}
	return e.code
}

// printableLines makes each line of an error printable: it may quote objects.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = view.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// helpFor names the deepest command that the arguments name.
func helpFor(root *cobra.Command, args []string) string {
	cmd, _, err := root.Find(args)
	if err != nil || cmd == nil || cmd.Name() == "help" {
		cmd = root
	}
	return spelled(cmd)
}

// spelled is a command as a person types it.
func spelled(cmd *cobra.Command) string {
	path := cmd.CommandPath()
	if name, ok := cmd.Root().Annotations[cobra.CommandDisplayNameAnnotation]; ok {
		path = name + strings.TrimPrefix(path, cmd.Root().Name())
		path = strings.Replace(path, name+name, name, 1)
	}
	return path
}

// asPlugin reports whether argv[0] is the name under which kubectl finds us.
func (a App) asPlugin() bool {
	return strings.HasPrefix(filepath.Base(a.Program), "kubectl-")
}

// interrupted reports whether an error is only that a person interrupted. A
// roll tells its own interruption.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(context.Cause(ctx), ErrInterrupted) &&
		(errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled))
}

// ErrInterrupted is the cause with which main ends the context when a person
// presses Ctrl-C, or their terminal closes.
var ErrInterrupted = errors.New("interrupted")
