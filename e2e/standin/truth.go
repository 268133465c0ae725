// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// suffix is the length of what a replica directory's name has after the
// volume's: a dash and eight digits.
const suffix = 9

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
		if err := s.truthOf(n, t); err != nil {
			return nil, fmt.Errorf("disk of %s: %w", n.Name, err)
		}
	}
	return t, nil
}

func (s *Standin) truthOf(n hollow.Node, t scenario.Truth) error {
	root := filepath.Join(n.DiskDir, replicasFolder)
	dirs, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return nil // a disk that was never used
	}
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if len(d.Name()) <= suffix {
			continue
		}
		c := scenario.Copy{Node: n.Name, Directory: d.Name()}
		m, err := readMeta(filepath.Join(root, d.Name()))
		if err == nil && !m.Rebuilding {
			if c.Sum, err = sum(filepath.Join(root, d.Name(), dataFile)); err != nil {
				return err
			}
		}
		volume := d.Name()[:len(d.Name())-suffix]
		t[volume] = append(t[volume], c)
	}
	return nil
}

// sum is that of what was written into the file system, empty if nothing was.
func sum(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, data, ok := bytes.Cut(raw, []byte("\n"))
	if !ok || len(data) == 0 {
		return "", nil
	}
	return scenario.Sum(data), nil
}

// Lost names the volumes whose expected bytes are nowhere, sorted.
func (s *Standin) Lost(e scenario.Expected) ([]string, error) {
	t, err := s.Truth()
	if err != nil {
		return nil, err
	}
	return t.Lost(e), nil
}
