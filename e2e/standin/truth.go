// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// Truth says which replica directories lie on the disks of the fleet's
// machines, on or off, and what they hold. It asks the disks, never the objects.
func (s *Standin) Truth() (scenario.Truth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.machines == nil {
		return nil, errNotStarted
	}
	t := scenario.Truth{}
	for _, n := range s.machines.Nodes() {
		if err := disk.Truth(n.Name, n.DiskDir, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Lost names the volumes whose expected bytes are nowhere, sorted.
func (s *Standin) Lost(e scenario.Expected) ([]string, error) {
	t, err := s.Truth()
	if err != nil {
		return nil, err
	}
	return t.Lost(e), nil
}
