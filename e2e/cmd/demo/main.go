// SPDX-License-Identifier: Apache-2.0

// Command demo replaces all three workers of the cluster of the real loss with
// safe-roll, on a real control plane that it builds and starts itself, and
// ends with what the disks say. It needs Go and nothing else.
//
// "demo shell" builds the same cluster and opens a shell in it instead, with
// kubectl, the plugin and the command machine on the PATH. "demo lab" does so
// with Longhorn's real manager in the place of the stand-in, and fewer users.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

func main() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if mode != "" { // there Ctrl-C is for what runs in the shell
		signal.Ignore(os.Interrupt)
		ends = ends[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	said := func(do func() error) func() int {
		return func() int {
			if err := do(); err != nil {
				fmt.Fprintln(os.Stderr, "demo:", err)
				return 1
			}
			return 0
		}
	}
	var code int
	if mode == "lab" {
		code = lab.Main(said(func() error { return world.Warm(ctx, os.Stderr) }), said(func() error { return run(ctx, mode) }))
	} else {
		code = said(func() error { return run(ctx, mode) })()
	}
	stop()
	os.Exit(code)
}

// start starts the cluster and says what it will hold.
func start(ctx context.Context, mode string) (*world.World, scenario.Incident, error) {
	i, o := scenario.TheIncident(), world.Options{Out: os.Stderr}
	if mode == "lab" {
		if err := lab.Missing(); err != nil {
			return nil, i, err
		}
		fmt.Println("# starting a real API server with hollow nodes and the real Longhorn manager, which takes two minutes")
		i.Users, o.Lab = 6, &lab.Options{}
	} else {
		fmt.Println("# building and starting a real API server with hollow nodes and a stand-in for Longhorn")
	}
	w, err := world.Start(ctx, o)
	return w, i, err
}

func run(ctx context.Context, mode string) (err error) {
	w, i, err := start(ctx, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	fmt.Printf("# three workers, a hub, a Prometheus, %d users of whom %d are logged in; every volume has %d replicas\n",
		i.Users, i.LoggedIn, i.Replicas)
	began := time.Now()
	e, err := i.Build(ctx, w)
	if err != nil {
		return err
	}
	fmt.Printf("# built in %s, with bytes of its own in each of %d volumes\n", time.Since(began).Round(time.Second), len(e))
	if mode != "" {
		if err := openShell(ctx, w); err != nil {
			return err
		}
		_, err := state(ctx, w, e, i.Replicas) // what was done to it in the shell is nobody's error
		return err
	}
	roll := append([]string{"safe-roll", "run"}, i.WorkerNames()...)
	// A look interval of 5 s fits a bench whose nodes are found dead after 8 s.
	roll = append(roll, "--yes", "--look-interval=5s", "--replace-command=machine replace")
	for _, args := range [][]string{{"safe-roll", "verify"}, roll, {"safe-roll", "verify"}} {
		if err := show(ctx, w, args); err != nil {
			return err
		}
	}
	if short, err := state(ctx, w, e, i.Replicas); err != nil || short == 0 {
		return err
	}
	return errors.New("data were lost or are short of copies")
}

// openShell opens a shell in the cluster, until it is left.
func openShell(ctx context.Context, w *world.World) error {
	fmt.Println("# a shell with kubectl, kubectl safe-roll and machine; leave it to end the cluster")
	path := os.Getenv("SHELL")
	if path == "" {
		path = "/bin/sh"
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(w.Env(), "PS1=bench$ ")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var left *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &left) {
		return fmt.Errorf("open a shell: %w", err)
	}
	return nil
}

// show runs kubectl as a person would, on this terminal.
func show(ctx context.Context, w *world.World, args []string) error {
	fmt.Println("\n$ kubectl " + quoted(args))
	cmd, err := w.StartKubectl(ctx, os.Stdout, args...)
	if err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("kubectl %s: %w", quoted(args), err)
	}
	return nil
}

func quoted(args []string) string {
	out := make([]string, 0, len(args))
	for _, a := range args {
		if name, value, ok := strings.Cut(a, "="); ok && strings.Contains(value, " ") {
			a = name + "='" + value + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

// state asks the disks, not the objects, and returns how many volumes are short
// of copies.
func state(ctx context.Context, w *world.World, e scenario.Expected, want int) (short int, err error) {
	t, err := w.Truth(ctx)
	if err != nil {
		return 0, err
	}
	fmt.Println("\n# the disks say:", t.Statement(e, want))
	return len(t.Short(e, want)), nil
}
