// SPDX-License-Identifier: Apache-2.0

// Command prebuild builds the control plane, Longhorn's manager and what asks its
// scheduler into the cache, showing progress on stderr, and prints the paths of
// the binaries. Tests build them as well, but go test keeps their output to itself
// until they end.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/e2e/placing"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin, err := bench.Build(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	manager, err := longhorn.Build(ctx, longhorn.Version(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scheduler, err := placing.Build(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s\n%s\n%s\n", bin.Program, manager, scheduler)
}
