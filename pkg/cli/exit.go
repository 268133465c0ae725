// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"syscall"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// The exit codes, the same in every output format. 5 comes from the engine.
const (
	exitDone    = 0 // safe, or done
	exitError1  = 1 // something is not known or not possible
	exitUsage   = 2 // the command line makes no sense
	exitUnsafe  = 3 // refused: unsafe
	exitUnknown = 4 // refused: unknown
	exitHeld    = 6 // another roll holds the lock
)

// ExitInterrupted is the exit code of a program that a person stopped and that
// can be resumed.
const ExitInterrupted = 130

// exitUnread is what a shell tells of a program whose reader has gone, as head
// does. A roll that goes on without one ends with a code of its own.
const exitUnread = 141

// exitError carries an exit code up to Run. With a nil err everything has been
// said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is a command line that makes no sense.
func usage(err error) *exitError { return &exitError{code: exitUsage, err: err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// failed is an error of the world, in words that name what to look at.
func failed(err error) error {
	if err == nil {
		return nil
	}
	var unanswered *url.Error
	var file *fs.PathError
	switch {
	case unread(err): // as it is: Run tells it from other errors
	case errors.As(err, &unanswered):
		server := unanswered.URL
		if u, parsed := url.Parse(server); parsed == nil {
			server = u.Scheme + "://" + u.Host
		}
		err = fmt.Errorf("no answer from the API server at %s: %w (--kubeconfig, --context or --server choose another)", server, unanswered.Err)
	case errors.As(err, &file):
		err = fmt.Errorf("%s: %w", file.Path, file.Err)
	}
	return &exitError{code: exitError1, err: err}
}

// unread reports whether an error is only that nobody reads what is printed any
// more. A connection that broke is no file, and an error.
func unread(err error) bool {
	var file *fs.PathError
	return errors.As(err, &file) && errors.Is(file.Err, syscall.EPIPE)
}

// exited ends with a code after everything was said; nil for 0.
func exited(code int) error {
	if code == exitDone {
		return nil
	}
	return &exitError{code: code}
}

// exitOf is the exit code of a verdict.
func exitOf(v cluster.Verdict) int {
	switch v {
	case cluster.Safe:
		return exitDone
	case cluster.Unsafe:
		return exitUnsafe
	default:
		return exitUnknown
	}
}
