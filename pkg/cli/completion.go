// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// completeVolumes completes what people know volumes by, PersistentVolumes and
// their claims, after the codes. It asks for one page and not for the storage's
// objects: nobody waits for ten thousand of them after Tab.
func completeVolumes(app App, conn *connection) completer {
	return func(cmd *cobra.Command, have []string, begin string) ([]string, cobra.ShellCompDirective) {
		out, directive := completeCodes(app)(cmd, have, begin)
		if len(have) > 0 {
			return out, directive
		}
		names, err := conn.volumeNames(cmd.Context())
		if err != nil {
			return out, directive
		}
		return append(out, beginning(names, begin, nil)...), directive
	}
}

// volumeNames are the names of the PersistentVolumes of storages that are known,
// and of their claims.
func (c *connection) volumeNames(ctx context.Context) ([]string, error) {
	set, err := c.clientset()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, completionLimit, errors.New("the limit of a completion"))
	defer cancel()
	list, err := set.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{Limit: mostCompletions})
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, s := range c.app.Storages {
		known[s.Driver()] = true
	}
	var names []string
	for i := range list.Items {
		pv := &list.Items[i]
		if pv.Spec.CSI == nil || !known[pv.Spec.CSI.Driver] {
			continue
		}
		names = append(names, pv.Name)
		if r := pv.Spec.ClaimRef; r != nil {
			names = append(names, r.Namespace+"/"+r.Name)
		}
	}
	return names, nil
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
		case "abort":
			must(cmd.RegisterFlagCompletionFunc("stays", completeNodes(conn, 0)))
		}
		for flag, values := range map[string][]string{
			"output": formatsOf(cmd.Name()), "dry-run": {dryRunNone, dryRunClient, dryRunServer},
			"strategy": {"auto", "evict", "refill"}, "for": {forReplacement, forReboot}, "order": {"auto", "given", "spare"}, "accept-risk": riskCompletions(app),
		} {
			if cmd.Flags().Lookup(flag) != nil {
				must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
			}
		}
	}
}

// formatsOf are the words that --output of a command takes; templates are typed.
func formatsOf(command string) []string {
	common := []string{outputText, outputJSON, outputYAML, outputName}
	switch command {
	case "drain", "run":
		return []string{outputText, outputJSON}
	case "verify", "plan":
		return append(common, outputWide)
	case "report":
		return append(common, outputHTML, outputJournal)
	default:
		return common
	}
}

// riskCompletions are the codes that a flag accepts, with what each means.
func riskCompletions(app App) []string {
	c := catalogue(app.Storages)
	var out []string
	for _, r := range risks() {
		out = append(out, r.Code+"\t"+c[r.Code].Means)
	}
	slices.Sort(out)
	return out
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
