// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

var _ scenario.Mishaps = (*World)(nil)

// ReplaceDisk implements scenario.Mishaps.
func (w *World) ReplaceDisk(ctx context.Context, node string) error {
	if err := w.Fleet.PowerOff(node); err != nil {
		return err
	}
	return errors.Join(w.Fleet.ReplaceDisk(node), w.Fleet.PowerOn(ctx, node))
}

// SwapDisks implements scenario.Mishaps.
func (w *World) SwapDisks(ctx context.Context, one, other string) error {
	if err := errors.Join(w.Fleet.PowerOff(one), w.Fleet.PowerOff(other)); err != nil {
		return err
	}
	swapped := w.Fleet.SwapDisks(one, other)
	return errors.Join(swapped, w.Fleet.PowerOn(ctx, one), w.Fleet.PowerOn(ctx, other))
}

// CloneDisk implements scenario.Mishaps.
func (w *World) CloneDisk(ctx context.Context, from, to string) error {
	identity, err := os.ReadFile(filepath.Join(w.Fleet.DiskDir(from), disk.ConfigFile))
	if err != nil {
		return fmt.Errorf("identity of the disk of %s: %w", from, err)
	}
	if err := w.Fleet.PowerOff(to); err != nil {
		return err
	}
	written := os.WriteFile(filepath.Join(w.Fleet.DiskDir(to), disk.ConfigFile), identity, 0o644)
	return errors.Join(written, w.Fleet.PowerOn(ctx, to))
}

// errNoReplica means that there is nothing to delete.
var errNoReplica = errors.New("no replica lies there")

// RemoveData implements scenario.Mishaps.
func (w *World) RemoveData(ctx context.Context, node, volume string) error {
	t, err := w.Truth(ctx)
	if err != nil {
		return err
	}
	removed := 0
	for _, c := range t[volume] {
		if c.Node != node {
			continue
		}
		if err := os.RemoveAll(filepath.Join(w.Fleet.DiskDir(node), disk.ReplicasFolder, c.Directory)); err != nil {
			return err
		}
		removed++
	}
	if removed == 0 {
		return fmt.Errorf("%s on %s: %w", volume, node, errNoReplica)
	}
	return nil
}

// StopManager implements scenario.Mishaps.
func (w *World) StopManager(_ context.Context, node string) error {
	if w.Lab != nil {
		return w.Lab.StopManager(node)
	}
	w.managers.set(node, true)
	return nil
}

// StartManager implements scenario.Mishaps.
func (w *World) StartManager(_ context.Context, node string) error {
	if w.Lab != nil {
		w.Lab.StartManager(node)
		return nil
	}
	w.managers.set(node, false)
	return nil
}

// managers is the runtime of pods beside a stand-in: those of the storage's
// manager can be kept from being ready, which is all that the stand-in sees of
// them.
type managers struct {
	mu   sync.Mutex
	down map[string]bool
}

var _ hollow.Runtime = (*managers)(nil)

func (m *managers) set(node string, down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down[node] = down
}

// StartPod implements hollow.Runtime.
func (m *managers) StartPod(context.Context, hollow.RunningPod) error { return nil }

// PodReady implements hollow.Runtime.
func (m *managers) PodReady(_ context.Context, p hollow.RunningPod) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return p.Pod.Labels["app"] != hollow.ManagerDaemonSet || !m.down[p.Node]
}

// StopPod implements hollow.Runtime.
func (m *managers) StopPod(hollow.RunningPod) {}
