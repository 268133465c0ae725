// SPDX-License-Identifier: Apache-2.0

// Command prebuild builds the control plane into the cache, showing progress on
// stderr, and prints the path of the binary. Tests build it as well, but go test
// keeps their output to itself until they end.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin, err := bench.Build(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(bin.Program)
}
