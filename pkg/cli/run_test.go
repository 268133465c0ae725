// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// run runs a command line whose context was ended with the cause.
func run(t *testing.T, cause error, args ...string) (int, string) {
	t.Helper()
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	ctx, stop := context.WithCancelCause(t.Context())
	if cause != nil {
		stop(cause)
	}
	defer stop(nil)
	var out, errOut bytes.Buffer
	code := cli.Run(ctx, cli.App{
		Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut},
		Program: "/usr/local/bin/kubectl-safe_roll", Version: "v0.0.0-test", Storages: plugins.All(),
	}, args)
	return code, out.String() + errOut.String()
}

func TestRun_AnInterruptionIsNoError(t *testing.T) {
	for _, args := range [][]string{{"verify"}, {"status"}, {"drain", "a"}, {"run", "a", "--yes"}} {
		code, said := run(t, cli.ErrInterrupted, append(args, "-s", "http://127.0.0.1:1")...)
		if code != cli.ExitInterrupted || !strings.Contains(said, "interrupted before anything was changed") {
			t.Errorf("%v: exit %d: %s", args, code, said)
		}
	}
}

func TestRun_AnyOtherEndOfTheContextIsAnError(t *testing.T) {
	if code, said := run(t, errors.New("something else"), "verify", "-s", "http://127.0.0.1:1"); code != 1 {
		t.Errorf("exit %d, want 1: %s", code, said)
	}
}
