// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
)

// labLimit bounds what a verb waits for in a lab: Longhorn itself takes a
// minute to start, and several on a busy machine.
const labLimit = 6 * time.Minute

// Warm builds all that a world and a lab consist of, into the caches, telling
// out. In a site (see lab.Main) there is no way to the network, so it must be
// done before.
func Warm(ctx context.Context, out io.Writer) error {
	bin, err := bench.Build(ctx, out)
	if err != nil {
		return err
	}
	if _, err := longhorn.Build(ctx, longhorn.Version(), out); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "safe-roll-warm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	_, err = buildTools(ctx, filepath.Join(dir, "bin"), bin.Program)
	return err
}

// makeLab makes a lab, and says what its machines want of the control plane.
func (w *World) makeLab(ctx context.Context, o lab.Options, on *bench.Options) error {
	if o.Version == "" {
		o.Version = longhorn.Version()
	}
	if o.Manager == "" {
		var err error
		if o.Manager, err = longhorn.Build(ctx, o.Version, w.out); err != nil {
			return err
		}
	}
	var err error
	if w.Lab, err = lab.New(o); err != nil {
		return err
	}
	on.Address = w.Lab.Gateway()
	// Nothing translates a service's address; Longhorn's webhooks are called at
	// their pods'.
	const server = "kube-apiserver"
	on.ExtraArgs[server] = append(on.ExtraArgs[server], "--enable-aggregator-routing=true")
	return nil
}

// startLab puts the lab into the cluster.
func (w *World) startLab(ctx context.Context) (err error) {
	dir := w.Cluster.Dir()
	w.Fleet, err = hollow.NewFleet(ctx, hollow.Options{
		Config: w.Cluster.Config(), Dir: filepath.Join(dir, "fleet"),
		Driver: w.Lab, Hardware: w.Lab, Runtime: w.Lab, Commands: looks{dir}, Block: w.Lab.Block(),
	})
	if err != nil {
		return err
	}
	w.storage, w.limit = w.Lab, labLimit
	err = w.Lab.Start(ctx, lab.Cluster{
		Config: w.Cluster.Config(), Port: w.Cluster.Port(), Machines: w.Fleet, Program: filepath.Join(w.bin, "labnode"),
		Dir: dir, Logs: filepath.Join(dir, "logs"),
	})
	if err != nil {
		return fmt.Errorf("start the lab: %w", err)
	}
	return nil
}
