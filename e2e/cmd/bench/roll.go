// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/rollbench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
)

// roll rolls a cluster and writes what that took.
func roll(ctx context.Context, args []string) (err error) {
	r := rollbench.Roll{Log: os.Stderr}
	flags := flag.NewFlagSet("bench roll", flag.ContinueOnError)
	flags.IntVar(&r.Nodes, "nodes", 10, "how many workers, all of which are replaced")
	flags.IntVar(&r.Volumes, "volumes", 2000, "how many volumes")
	flags.DurationVar(&r.LookInterval, "look-interval", 5*time.Second, "run's flag: between the two looks before anything irreversible")
	file := flags.String("o", "", "where the table goes; standard output if empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if r.Nodes < 3 || r.Volumes < 1 {
		return fmt.Errorf("-nodes %d -volumes %d: a roll needs at least three nodes and a volume", r.Nodes, r.Volumes)
	}
	w, err := world.Start(ctx, r.Options())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	res, err := r.Run(ctx, w)
	if err != nil {
		return err
	}
	if err := write(*file, res.Table()); err != nil {
		return err
	}
	if len(res.Wrong) > 0 {
		return errors.New("the roll did not end as it must: see the table")
	}
	return nil
}
