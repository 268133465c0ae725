// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/e2e/device"
)

// DeviceNode implements device.Devices.
func (s *Standin) DeviceNode(volume string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.model.Attached(volume)
	return a.Node, ok && a.Frontend
}

// ReadDevice implements device.Devices: as the engine does, from one readable
// replica after the other.
func (s *Standin) ReadDevice(volume string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.model.Attached(volume)
	if !ok || len(a.Read) == 0 {
		return nil, fmt.Errorf("read %s: %w", volume, device.ErrNotAttached)
	}
	s.turns[volume]++
	return s.disks.read(a.Read[s.turns[volume]%len(a.Read)])
}

// WriteDevice implements device.Devices.
func (s *Standin) WriteDevice(volume string, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.model.Attached(volume)
	if !ok {
		return fmt.Errorf("write %s: %w", volume, device.ErrNotAttached)
	}
	return s.disks.write(a.Write, raw)
}
