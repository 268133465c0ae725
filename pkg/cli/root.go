// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const firstScreen = `Replaces the nodes of a cluster one at a time without losing a byte.

A volume that nobody uses is detached, and the storage does not rebuild it when
a node goes: after as many nodes as it has replicas its data are gone, and no
step ever failed. safe-roll believes no claim without evidence, and takes no
step until every volume, attached or not, has its replicas on live nodes.

  %[1]s verify        is every volume whole? (changes nothing)
  %[1]s verify NODE   may it be drained, may it be deleted?
  %[1]s plan NODE...  the order, what is moved, who will notice
  %[1]s drain NODE    one node, up to "may be deleted"
  %[1]s run NODE...   replace nodes, one after the other
  %[1]s run           go on where a roll stopped
  %[1]s status        the roll in flight, from any machine
  %[1]s abort         give it up, and put back what it changed
  %[1]s report        what a roll did, also as one HTML page
  %[1]s explain WHAT  a code or a volume: why, and what to do

Exit codes: 0 safe or done, 1 error, 2 usage, 3 refused: unsafe, 4 refused:
unknown, 5 no progress within a limit, 6 another roll holds the lock,
130 interrupted. '%[1]s --help' lists every command, and
'%[1]s COMMAND --help' shows its flags, with examples.
`

// usageTemplate is cobra's, shorter: the connection flags are kubectl's own, and
// are listed once, with the program itself. %d is the width of the terminal.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}

Commands:
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{- end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped %d | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableInheritedFlags}}

kubectl's connection flags (--kubeconfig, --context, --as, ...) work with every
command, after its name; '{{.Root.CommandPath}} --help' lists them.
{{- end}}
`

// newRoot builds the commands.
func newRoot(app App) *cobra.Command {
	display := "kubectl-safe_roll"
	if app.asPlugin() {
		display = "kubectl safe-roll"
	}
	root := &cobra.Command{
		Use:                        "kubectl-safe_roll",
		Short:                      "Replace the nodes of a cluster one at a time without losing a byte",
		Annotations:                map[string]string{cobra.CommandDisplayNameAnnotation: display},
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       noSuchCommand,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(app.Streams.Out, firstScreen, display)
			return err
		},
	}
	root.SetOut(app.Streams.Out)
	root.SetErr(app.Streams.ErrOut)
	root.SetIn(app.Streams.In)
	root.SetFlagErrorFunc(unknownFlag)
	conn := newConnection(app)
	conn.addFlags(root.PersistentFlags())
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return conn.quiet() }
	root.SetUsageTemplate(fmt.Sprintf(usageTemplate, styleOf(app.Streams.Out).Width))
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		newVerify(app, conn, display),
		newPlan(app, conn, display),
		newDrain(app, conn, display),
		newRun(app, conn, display),
		newStatus(app, conn, display),
		newApprove(app, conn, display),
		newAbort(app, conn, display),
		newReport(app, conn, display),
		newRBAC(app, conn, display),
		newExplain(app, conn, display),
		newVersion(app, display),
	)
	complete(root, app, conn)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // a shell that cobra does not know is an error too
			c.Short = "Complete commands, nodes, volumes and codes after Tab"
			c.Long = `Prints a script that completes kubectl-safe_roll, the program by its own name, in a
shell. 'install' makes kubectl complete '` + display + `'.`
			c.Args = noSuchCommand
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			c.AddCommand(newShim(app, display))
		}
	}
	return root
}

// newHelp is cobra's help command, but for a topic that does not exist, which
// is an error here.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || about == nil || len(rest) > 0 {
				return usagef("there is no command %q", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// noSuchCommand answers a command that does not exist, with the nearest one.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	msg := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		msg += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s", msg)
}

// unknownFlag answers a flag that does not exist, with the nearest one.
func unknownFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	if errors.As(err, &empty) {
		_, means := pflag.UnquoteUsage(empty.GetFlag())
		return usagef("--%s needs a value: %s", empty.GetFlag().Name, means)
	}
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return usage(err)
	}
	var have []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			have = append(have, f.Name)
		}
	})
	if near := nearest(unknown.GetSpecifiedName(), have); near != "" {
		return usagef("%w; did you mean --%s?", err, near)
	}
	return usage(err)
}

// examples indents the lines of an example and puts the program's name in.
func examples(display string, lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("  " + strings.ReplaceAll(l, "%", display) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// exactly and its like turn cobra's words about arguments into one sentence.
func exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return usagef("%s needs %s", cmd.Name(), what)
		case 1:
			return nil
		default:
			return usagef("%s takes %s, not %d: %s", cmd.Name(), what, len(args), strings.Join(args, " "))
		}
	}
}

func nothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments: %s", cmd.Name(), strings.Join(args, " "))
	}
	return nil
}
