// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProgress_CountsPackagesAndKeepsErrors(t *testing.T) {
	out := &bytes.Buffer{}
	p := newProgress(out, Program{})
	p.setTotal(7)
	for _, piece := range []string{"go: downloading k8s.io/api v0.1\nk8s.io/", "api/core\nnet/http\n", "main.go:1: bad thing\n", "half"} {
		if _, err := io.WriteString(p, piece); err != nil {
			t.Fatal(err)
		}
	}
	p.stop()
	if got := p.line(); !strings.Contains(got, "2 packages compiled of at most 7") {
		t.Errorf("line: %q", got)
	}
	if got := p.tail(); got != "main.go:1: bad thing\nhalf" {
		t.Errorf("tail: %q", got)
	}
}

func TestLockFile_WaitsForTheHolderAndGivesUpWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lockFile(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	out := &bytes.Buffer{}
	if _, err := lockFile(short, path, out); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second lock: %v", err)
	}
	if !strings.Contains(out.String(), "waiting") {
		t.Errorf("said while waiting: %q", out)
	}
	unlock()
	again, err := lockFile(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestSweep_DeletesOnlyWhatAKilledProcessLeft(t *testing.T) {
	temp := t.TempDir()
	for _, name := range []string{"killed", "alive", "stopped"} {
		if err := os.Mkdir(filepath.Join(temp, tempPrefix+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f, err := own(filepath.Join(temp, tempPrefix+"killed"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close() // as the kernel does for a process that dies
	if f, err = own(filepath.Join(temp, tempPrefix+"alive")); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sweep(temp)
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 2 || left[0].Name() != tempPrefix+"alive" || left[1].Name() != tempPrefix+"stopped" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestBuildKey_ChangesWithTheSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := func() string {
		t.Helper()
		k, err := Program{Source: dir}.key(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	write("go.mod", "module m\nrequire (\n\tk8s.io/kubernetes v1.35.4\n)\n")
	write("go.sum", "")
	write("main.go", "package main\n")
	first := key()
	if key() != first {
		t.Error("the key of the same sources differs")
	}
	write("go.sum", "x\n")
	if key() == first {
		t.Error("another go.sum gives the same key")
	}
}
