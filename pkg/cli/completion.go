// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// completionLimit bounds what a person waits for after Tab.
const completionLimit = 3 * time.Second

// mostCompletions bounds what is listed.
const mostCompletions = 500

// shimName is the program that kubectl asks for completions of this plugin
// (kubectl pkg/cmd/plugin_completion.go, from v1.26 on).
const shimName = "kubectl_complete-safe_roll"

// shim hands kubectl's question on to cobra's own command for it.
const shim = `#!/usr/bin/env sh
# Written by 'kubectl safe-roll completion install': completion for kubectl safe-roll.
exec kubectl-safe_roll __complete "$@"
`

// completer is what completes one argument or the value of a flag.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeNodes completes the names of nodes that were not given yet. most bounds
// how many the command takes; 0 is any number.
func completeNodes(conn *connection, most int) completer {
	return func(cmd *cobra.Command, have []string, begin string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(have) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, err := conn.nodeNames(cmd.Context())
		if err != nil {
			return cobra.AppendActiveHelp(nil, "nodes cannot be listed: "+err.Error()), cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(names, begin, have), cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *connection) nodeNames(ctx context.Context) ([]string, error) {
	set, err := c.clientset()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, completionLimit, errors.New("the limit of a completion"))
	defer cancel()
	list, err := set.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: mostCompletions})
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names, nil
}

// completeCodes completes the codes of findings.
func completeCodes(app App) completer {
	return func(_ *cobra.Command, have []string, begin string) ([]string, cobra.ShellCompDirective) {
		if len(have) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		c := catalogue(app.Storages)
		for _, code := range beginning(c.Sorted(), begin, nil) {
			out = append(out, code+"\t"+c[code].Means)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeVolumes completes the names of volumes, after the codes.
func completeVolumes(app App, conn *connection) completer {
	return func(cmd *cobra.Command, have []string, begin string) ([]string, cobra.ShellCompDirective) {
		out, directive := completeCodes(app)(cmd, have, begin)
		if len(have) > 0 || strings.Contains(begin, "/") {
			return out, directive
		}
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), completionLimit, errors.New("the limit of a completion"))
		defer cancel()
		s, err := conn.observe(ctx)
		if err != nil {
			return out, directive
		}
		var names []string
		for i := range s.Storages {
			for k := range s.Storages[i].Volumes {
				names = append(names, s.Storages[i].Volumes[k].Name)
			}
		}
		return append(out, beginning(names, begin, nil)...), directive
	}
}

// beginning are the names that begin so and were not given, a bounded number.
func beginning(names []string, begin string, have []string) []string {
	given := map[string]bool{}
	for _, h := range have {
		given[h] = true
	}
	var out []string
	for _, n := range names {
		if strings.HasPrefix(n, begin) && !given[n] && len(out) < mostCompletions {
			out = append(out, n)
		}
	}
	return out
}

// complete adds to the commands what completes their arguments and flags.
func complete(root *cobra.Command, app App, conn *connection) {
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "verify", "run", "plan":
			cmd.ValidArgsFunction = completeNodes(conn, 0)
		case "drain", "approve":
			cmd.ValidArgsFunction = completeNodes(conn, 1)
		case "explain":
			cmd.ValidArgsFunction = completeVolumes(app, conn)
		}
		if cmd.Flags().Lookup("accept-risk") != nil {
			must(cmd.RegisterFlagCompletionFunc("accept-risk", func(c *cobra.Command, _ []string, begin string) ([]string, cobra.ShellCompDirective) {
				return completeCodes(app)(c, nil, begin)
			}))
		}
		for flag, values := range map[string][]string{
			"output": {outputText, outputWide, outputJSON, outputYAML, outputName}, "dry-run": {dryRunNone, dryRunClient, dryRunServer},
			"strategy": {"auto", "evict", "refill"}, "for": {forReplacement, forReboot},
		} {
			if cmd.Flags().Lookup(flag) != nil {
				must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
			}
		}
	}
}

// must is for what cannot fail: the flag was looked up a line above.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// newShim is the command that writes the shim: krew installs one program per
// plugin, and kubectl looks for a second one.
func newShim(app App, display string) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make kubectl complete 'kubectl safe-roll', where krew cannot",
		Long: `Writes ` + shimName + `, the program that kubectl (1.26 and later) asks for
completions of this plugin, next to the plugin. kubectl's own completion must be
loaded in the shell. krew installs one program per plugin, so this is a step of
its own.`,
		Example: examples(display, "% completion install", "% completion install --dir=$HOME/.local/bin"),
		Args:    nothing,
		RunE: func(*cobra.Command, []string) error {
			to, err := shimPath(app, dir)
			if err != nil {
				return failed(err)
			}
			if err := writeShim(to); err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintf(app.Streams.Out, "Wrote %s. Try it in a new shell: kubectl safe-roll <Tab>\n", to)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the folder to write to, which must be on PATH (default: where the plugin is found)")
	return cmd
}

func shimPath(app App, dir string) (string, error) {
	if dir == "" {
		program := app.Program
		if !filepath.IsAbs(program) {
			found, err := os.Executable()
			if err != nil {
				return "", fmt.Errorf("where the plugin is cannot be found out: %w; give --dir", err)
			}
			program = found
		}
		dir = filepath.Dir(program)
	}
	return filepath.Join(dir, shimName), nil
}

// writeShim writes it, and leaves alone what it did not write.
func writeShim(path string) error {
	if have, err := os.ReadFile(path); err == nil && string(have) != shim {
		return fmt.Errorf("%s is there and is not ours; nothing was written", path)
	}
	return os.WriteFile(path, []byte(shim), 0o755)
}
