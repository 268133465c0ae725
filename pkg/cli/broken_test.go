// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// What is another's to look after by now is not told; what is nobody's is.
func TestBroken_TellsWhatIsLeftChangedUnlessAnotherHasTakenOver(t *testing.T) {
	for cause, said := range map[error]string{
		record.ErrFenced:      "",
		record.ErrJournalGone: "by hand",
		record.ErrLockGone:    "by hand",
		record.ErrExpiring:    "for the same command to go on from",
	} {
		var errOut bytes.Buffer
		o := &rollOptions{app: App{Streams: genericiooptions.IOStreams{ErrOut: &errOut}}, display: "kubectl safe-roll", output: outputText}
		left := []decide.Action{{Verb: decide.Uncordon, Node: cluster.NodeRef{Name: "worker-1", UID: "u"}}}
		_ = o.broken(fmt.Errorf("the journal cannot be written: %w", cause), roll.Result{Left: left, Exit: 1})
		if got := errOut.String(); (said == "") != (got == "") || !strings.Contains(got, said) {
			t.Errorf("%v: %q", cause, got)
		}
	}
}

// deaf is a stream that nobody reads any more.
type deaf struct{ why error }

func (d deaf) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stderr", Err: d.why}
}

// A closed terminal fails what is written to it, and a pipe that nobody reads too.
func TestRoll_HowItEndedIsToldByTheExitCodeThoughItCannotBePrinted(t *testing.T) {
	for _, why := range []error{syscall.EIO, syscall.EPIPE} {
		for exit, want := range map[int]int{0: 1, 3: 3, ExitInterrupted: ExitInterrupted} {
			to := deaf{why}
			o := &rollOptions{app: App{Streams: genericiooptions.IOStreams{Out: to, ErrOut: to}}}
			res := roll.Result{Exit: exit}
			switch exit {
			case 0:
				res.Decision = decide.Done{}
			case 3:
				res.Decision = decide.Halt{}
			}
			var ended *exitError
			if err := o.end(res, &watch{}); !errors.As(err, &ended) || ended.code != want {
				t.Errorf("%v, a roll that ended with %d: %v", why, exit, err)
			}
		}
	}
}

func TestUnread_IsAPipeWithoutAReaderAndNoConnection(t *testing.T) {
	broken := func(err error) error { return fmt.Errorf("written: %w", err) }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, true},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EIO}, false},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, false},
		{errors.New("another"), false},
	} {
		if got := unread(broken(c.err)); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
