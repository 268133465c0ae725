// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
)

// running is the tool at work, and all that it has said.
type running struct {
	t    *testing.T
	kill func()
	done chan struct{}
	exit int

	mu   sync.Mutex
	said strings.Builder
}

// toolLimit bounds one run of the tool.
const toolLimit = 30 * time.Minute

// begin starts the tool; on, if it is not nil, is called with every line that
// it prints.
func begin(t *testing.T, w *world.World, on func(r *running, line string), args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
	from, out := io.Pipe()
	cmd, err := w.StartKubectl(ctx, out, append([]string{"safe-roll"}, args...)...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	r := &running{t: t, kill: func() { _ = cmd.Process.Kill() }, done: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(from); lines.Scan(); {
			r.mu.Lock()
			r.said.WriteString(lines.Text() + "\n")
			r.mu.Unlock()
			if on != nil {
				on(r, lines.Text())
			}
		}
		_, _ = io.Copy(io.Discard, from)
	}()
	go func() {
		defer cancel()
		_ = cmd.Wait() // its exit code says it: -1 where it was killed
		_ = out.Close()
		<-read
		r.exit = cmd.ProcessState.ExitCode()
		close(r.done)
	}()
	return r
}

// all is what was said until now.
func (r *running) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// reaches waits until what is asked for is so; false if the tool ends first.
func (r *running) reaches(is func() bool) bool {
	for !is() {
		select {
		case <-r.done:
			return is()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return true
}

// until is reaches where there is nothing to do without it.
func (r *running) until(what string, is func() bool) {
	r.t.Helper()
	if !r.reaches(is) {
		r.t.Fatalf("the tool has ended with %d, and never was there %s:\n%s", r.exit, what, r.all())
	}
}

// hasSaid reports whether the tool has said the words.
func (r *running) hasSaid(words string) bool { return strings.Contains(r.all(), words) }

// end waits for the tool's end and returns its exit code.
func (r *running) end() int {
	<-r.done
	return r.exit
}

// shortLock is soon over where the tool was killed, and not before a busy machine
// has renewed it.
const shortLock = "--lock-duration=15s"

// maxStarts bounds how often a roll is begun again: each time it halts, and
// each time that it finds the lock of one that was killed.
const maxStarts = 90

// insist runs the same command again and again until the roll is done. What
// halts it must be a refusal with a reason, or a limit.
func insist(t *testing.T, w *world.World, on func(r *running, line string), args ...string) {
	t.Helper()
	for starts := 1; ; starts++ {
		r := begin(t, w, on, args...)
		switch exit := r.end(); {
		case exit == 0:
			t.Logf("done after %d starts\n%s", starts, r.all())
			return
		case starts == maxStarts:
			t.Fatalf("not done after %d starts:\n%s", starts, r.all())
		case exit == 6: // the dead one's lock still holds
		case exit == -1: // killed
			t.Logf("killed; it had said:\n%s", r.all())
		case exit == 3, exit == 4, exit == 5:
			t.Logf("halted with %d:\n%s", exit, r.all())
		default:
			t.Fatalf("exit %d:\n%s", exit, r.all())
		}
		time.Sleep(3 * time.Second)
	}
}
