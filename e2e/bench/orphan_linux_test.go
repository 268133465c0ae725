// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

func TestStart_AFailureNamesTheLogsAndLeavesNoProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	_, err := bench.Start(t.Context(), bench.Options{Binaries: build(t), Dir: dir,
		ExtraArgs: map[string][]string{"kube-apiserver": {"--no-such-flag"}}})
	if err == nil {
		t.Fatal("started with a flag that does not exist")
	}
	for _, want := range []string{"kube-apiserver", "no-such-flag", filepath.Join(dir, "logs")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q: %v", want, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "logs" {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if pids := processesOf(t, dir); len(pids) > 0 {
		t.Errorf("processes left behind: %v", pids)
	}
}

func TestStart_NothingOutlivesAKilledParent(t *testing.T) {
	t.Parallel()
	build(t)
	dir := filepath.Join(t.TempDir(), "cluster")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	said, errs := &bytes.Buffer{}, &bytes.Buffer{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := out.Read(b) // ends with the child, at the latest after its own limit
	said.Write(b[:n])
	if said.String() != "started\n" {
		_ = cmd.Process.Kill()
		t.Fatalf("the child said %q, %v: %s", said, err, errs)
	}
	if pids := processesOf(t, dir); len(pids) != 4 {
		t.Errorf("%d processes in %s, want 4", len(pids), dir)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	eventually(t, "the control plane to die with its parent", func() bool { return len(processesOf(t, dir)) == 0 })
}

// processesOf finds the processes whose command line names the folder.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Fatalf("no processes under /proc: %v", err)
	}
	var pids []string
	for _, l := range lines {
		if b, err := os.ReadFile(l); err == nil && bytes.Contains(b, []byte("="+dir)) {
			pids = append(pids, filepath.Base(filepath.Dir(l)))
		}
	}
	return pids
}
