// SPDX-License-Identifier: Apache-2.0

// Command kubectl-safe_roll is the kubectl plugin safe-roll. It wires streams,
// signals and the list of storage systems to the commands, and ends with their
// exit code; there is no logic here but which signal ends what.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// version is set by the linker: -X main.version.
var version = "dev"

func main() { os.Exit(heeding(run)) }

// garbage is how much may pile up before it is collected, in percent of what is
// in use: reading a large cluster makes much of it and keeps little, and what a
// laptop is short of is memory. GOGC in the environment says otherwise.
const garbage = 25

func run(ctx context.Context) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	app := cli.App{
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Program: os.Args[0], Version: version, Storages: plugins.All(),
	}
	return cli.Run(ctx, app, os.Args[1:])
}
