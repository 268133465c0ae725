// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
)

// playEnv makes this test's binary the program: "main" for what it is, and
// "deed" for one that has a deed in hand as long as its input is open.
const playEnv = "SAFE_ROLL_PLAY"

// TestMain fails where a test leaves a goroutine behind.
func TestMain(m *testing.M) {
	switch os.Getenv(playEnv) {
	case "main":
		main()
	case "deed":
		os.Exit(heeding(deed))
	}
	if signal.Ignored(syscall.SIGHUP) { // the tests run under nohup; what they start must not
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	goleak.VerifyTestMain(m)
}

// deed is a roll that cannot stop before its deed is done.
func deed(ctx context.Context) int {
	fmt.Fprintln(os.Stderr, "begun")
	stopped := context.AfterFunc(ctx, func() { fmt.Fprintln(os.Stderr, "told to stop") })
	_, _ = io.Copy(io.Discard, os.Stdin)
	stopped()
	fmt.Fprintln(os.Stderr, "the deed is done")
	if ctx.Err() != nil {
		return cli.ExitInterrupted
	}
	return 0
}

// program is this program, running.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.Closer
	lines chan string
	// unread closes the read end of what it says.
	unread func()
}

// playing starts the program by a command line; what it says comes line by line.
func playing(t *testing.T, part string, command ...string) *program {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), playEnv+"="+part, "KUBECONFIG="+t.TempDir()+"/none", "GOCOVERDIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = w, w
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	p := &program{t: t, cmd: cmd, in: in, lines: make(chan string, 100), unread: func() { _ = r.Close() }}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = in.Close(); p.unread() })
	return p
}

// send sends signals, one after the other is heard of: two of a kind that come
// together may be one.
func (p *program) send(signals ...syscall.Signal) {
	p.t.Helper()
	for i, s := range signals {
		if i > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		if err := p.cmd.Process.Signal(s); err != nil {
			p.t.Errorf("%v: %v", s, err)
		}
	}
}

// await reads until a line says so.
func (p *program) await(text string) {
	p.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case line, more := <-p.lines:
			if !more {
				p.t.Fatalf("it never says %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-limit:
			p.t.Fatalf("it does not say %q in time", text)
		}
	}
}

// end waits for the end, and fails unless it ends with the exit code.
func (p *program) end(exit int) {
	p.t.Helper()
	err := p.cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		p.t.Fatal(err)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != exit {
		p.t.Errorf("%v, want exit code %d", p.cmd.ProcessState, exit)
	}
}

// alive fails unless it is still at its deed after a while.
func (p *program) alive() {
	p.t.Helper()
	select {
	case line, more := <-p.lines:
		p.t.Fatalf("it says %q, or ends (%v)", line, !more)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestProgram_FinishesTheDeedInHand(t *testing.T) {
	for name, sent := range map[string][]syscall.Signal{
		"at one Ctrl-C":                     {ctrl},
		"when asked once":                   {term},
		"when its terminal closes":          {hup, hup},
		"when its terminal closes after it": {ctrl, hup, hup},
		"when the session ends with it":     {hup, hup, term},
	} {
		t.Run(name, func(t *testing.T) {
			p := playing(t, "deed", os.Args[0])
			p.await("begun")
			p.send(sent...)
			p.await("told to stop")
			p.alive()
			_ = p.in.Close()
			p.await("the deed is done")
			p.end(cli.ExitInterrupted)
		})
	}
}

func TestProgram_LeavesAtOnceWhenAskedTwice(t *testing.T) {
	for name, sent := range map[string][]syscall.Signal{
		"by Ctrl-C": {ctrl, ctrl}, "by others": {term, term}, "after its terminal closed": {hup, term, term},
	} {
		t.Run(name, func(t *testing.T) {
			p := playing(t, "deed", os.Args[0])
			p.await("begun")
			p.send(sent...)
			p.await("Ended at once")
			p.end(cli.ExitInterrupted)
		})
	}
}

// TestProgram_OutlivesWhoeverReadIt: with the terminal goes what was piped to.
func TestProgram_OutlivesWhoeverReadIt(t *testing.T) {
	p := playing(t, "deed", os.Args[0])
	p.await("begun")
	p.unread()
	p.send(hup, hup)
	time.Sleep(100 * time.Millisecond) // it says that it was told to stop, to nobody
	_ = p.in.Close()
	p.end(cli.ExitInterrupted)
}

func TestProgram_StartedByNohupGoesOnWithoutItsTerminal(t *testing.T) {
	p := playing(t, "deed", "sh", "-c", `trap "" HUP; exec "$0"`, os.Args[0]) // as nohup does
	p.await("begun")
	p.send(hup, hup)
	p.alive()
	_ = p.in.Close()
	p.await("the deed is done")
	p.end(0)
}

// TestProgram_SaysThatItWasInterrupted asks a server that never answers.
func TestProgram_SaysThatItWasInterrupted(t *testing.T) {
	asked, over := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	defer server.Close()
	defer close(over)
	for name, sent := range map[string][]syscall.Signal{"Ctrl-C": {ctrl}, "asked": {term}, "a closed terminal": {hup}} {
		t.Run(name, func(t *testing.T) {
			p := playing(t, "main", os.Args[0], "run", "worker-1", "--yes", "--server", server.URL)
			<-asked
			p.send(sent...)
			p.await("interrupted before anything was changed")
			p.end(cli.ExitInterrupted)
		})
	}
}

// TestProgram_EndsQuietlyWhereNobodyReadsOn is `kubectl safe-roll ... | head`.
func TestProgram_EndsQuietlyWhereNobodyReadsOn(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	defer func() { _ = w.Close() }()
	var said strings.Builder
	cmd := exec.Command(os.Args[0], "explain", "volume/degraded")
	cmd.Env = append(os.Environ(), playEnv+"=main")
	cmd.Stdout, cmd.Stderr = w, &said
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 141 || said.Len() > 0 {
		t.Errorf("%v, and says %q", cmd.ProcessState, said.String())
	}
}
