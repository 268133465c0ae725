// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect")

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"kubectl-safe_roll": func() {
		os.Exit(cli.Run(context.Background(), cli.App{
			Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
			Program: os.Args[0], Version: "v0.0.0-test", Storages: plugins.All(),
		}, os.Args[1:]))
	}})
}

// leakless are tests that fail where one leaves a goroutine behind.
type leakless struct{ m *testing.M }

// Run implements testscript.TestingM.
func (l leakless) Run() int {
	exit := l.m.Run()
	if exit != 0 {
		return exit
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestScripts runs what needs no cluster. Each script begins in a folder with
// two small clusters: whole/ and recreated/, in which worker-1 is another
// machine under the old name. $WHOLE and $RECREATED are servers that show them
// as living clusters; $BARE knows no storage, $HALFBLIND forbids its replicas.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if err := serve(t, env); err != nil {
				return err
			}
			return clusters(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exit": exit},
	})
}

// clusters copies the fixtures, and hides the machine's own kubeconfig.
func clusters(env *testscript.Env) error {
	env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-such-kubeconfig"))
	env.Setenv("NO_COLOR", "1")
	for _, name := range []string{"whole", "recreated", "journals"} {
		if err := os.CopyFS(filepath.Join(env.WorkDir, name), os.DirFS(filepath.Join("testdata", name))); err != nil {
			return err
		}
	}
	return nil
}

// exit CODE PROGRAM ARGS... runs a program and wants that exit code.
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE PROGRAM [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}
