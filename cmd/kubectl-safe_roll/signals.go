// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
)

// heeding does the work among signals and returns its exit code. The work's
// context ends at the first of them: it finishes the deed in hand and leaves no
// hold behind.
func heeding(work func(context.Context) int) int {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	// A write to where nobody reads any more would end the program in the middle
	// of a deed. As somebody is told, though nobody listens, the write fails instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup: it goes on without its terminal
		signal.Notify(signals, syscall.SIGHUP)
	}
	go heed(signals, func() { stop(cli.ErrInterrupted) }, func() {
		fmt.Fprintln(os.Stderr, "\nEnded at once; the same command goes on as soon as the lock has run out.")
		os.Exit(cli.ExitInterrupted) // asked twice: go, the next run finds out what happened
	})
	return work(ctx)
}

// heed acts upon signals until there are no more: at each it says to stop, and
// at the second that asks for it, to leave. A terminal that closes asks for
// nothing: whoever was in its foreground is told twice within a millisecond, by
// the shell and by the system.
func heed(signals <-chan os.Signal, stop, leave func()) {
	asked := 0
	for s := range signals {
		stop()
		if s == syscall.SIGHUP {
			continue
		}
		if asked++; asked == 2 {
			leave()
		}
	}
}
