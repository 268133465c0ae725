// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// buildTools puts kubectl, the plugin, the command machine, and the first process
// of a lab's machines into one folder.
func buildTools(ctx context.Context, dir, program string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.Symlink(program, filepath.Join(dir, "kubectl")); err != nil {
		return "", err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	for _, b := range []struct{ from, pkg, name string }{
		{filepath.Dir(root), "./cmd/kubectl-safe_roll", "kubectl-safe_roll"},
		{root, "./cmd/machine", "machine"},
		{root, "./cmd/labnode", "labnode"},
	} {
		if b.name == "labnode" && runtime.GOOS != "linux" {
			continue // no labs there
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, b.name), b.pkg)
		cmd.Dir, cmd.Env = b.from, append(os.Environ(), "CGO_ENABLED=0") // as it is released; and labnode needs no library
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", b.name, err, out)
		}
	}
	return dir, nil
}

// moduleRoot is the folder of this module, wherever the test runs.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/safe-roll/kubectl-safe-roll/e2e").Output()
	if err != nil {
		return "", fmt.Errorf("find the e2e module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Env is the environment of an operator of the bench: kubectl, the plugin and
// machine on the PATH, and the cluster as the current one.
func (w *World) Env() []string {
	return w.EnvOf(w.Cluster.Kubeconfig())
}

// EnvOf is Env for another kubeconfig.
func (w *World) EnvOf(kubeconfig string) []string {
	return append(os.Environ(),
		"PATH="+w.bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"KUBECONFIG="+kubeconfig, ControlEnv+"="+w.control.url, "NO_COLOR=1")
}

// Said is what a command printed and how it ended.
type Said struct {
	Out, Err string
	Exit     int
}

// All is everything that was printed.
func (s Said) All() string { return s.Out + s.Err }

// Kubectl runs kubectl as the cluster's admin; "safe-roll" as the first
// argument runs the plugin through it.
func (w *World) Kubectl(ctx context.Context, args ...string) (Said, error) {
	return w.KubectlAs(ctx, w.Cluster.Kubeconfig(), args...)
}

// KubectlAs runs kubectl with another kubeconfig.
func (w *World) KubectlAs(ctx context.Context, kubeconfig string, args ...string) (Said, error) {
	var out, errs strings.Builder
	cmd := w.CommandAs(ctx, kubeconfig, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	said := Said{Out: out.String(), Err: errs.String(), Exit: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return said, fmt.Errorf("kubectl %s: %w", strings.Join(args, " "), err)
	}
	return said, nil
}

// StartKubectl starts kubectl and returns it running; its output goes to out.
func (w *World) StartKubectl(ctx context.Context, out io.Writer, args ...string) (*exec.Cmd, error) {
	cmd := w.CommandAs(ctx, w.Cluster.Kubeconfig(), args...)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, cmd.Start()
}

// CommandAs is kubectl with another kubeconfig, for the caller to start.
func (w *World) CommandAs(ctx context.Context, kubeconfig string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, "kubectl"), args...)
	cmd.Env = w.EnvOf(kubeconfig)
	// kubectl becomes the plugin by exec, so killing it kills the tool; a
	// command of the operator's may live on and hold the pipe.
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
