// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Errors of using a volume.
var (
	ErrNotAttached = errors.New("the volume has no device on the node")
	ErrNotMounted  = errors.New("no pod has the volume mounted")
	ErrNoFS        = errors.New("the volume holds no file system")
)

// header is what formatting writes. A device without it is blank, and the next
// mount formats it, as mkfs would.
const header = "hollow file system "

// Format is one making of a file system.
type Format struct {
	Volume, Node, Pod string
	At                time.Time
}

// Formats returns every making of a file system so far, in order. A volume that
// occurs twice has lost what it held.
func (s *Standin) Formats() []Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Format(nil), s.formats...)
}

// Mount implements hollow.VolumeDriver: it looks for a file system on the
// device, and makes one where there is none.
func (s *Standin) Mount(ctx context.Context, m hollow.Mount) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.model.Attached(m.Handle)
	if !ok || !a.Frontend || a.Node != m.Node {
		return fmt.Errorf("mount %s on %s: %w", m.Handle, m.Node, ErrNotAttached)
	}
	raw, err := s.device(m.Handle, a)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Handle, err)
	}
	if !bytes.HasPrefix(raw, []byte(header)) {
		s.formats = append(s.formats, Format{Volume: m.Handle, Node: m.Node, Pod: m.PodName, At: time.Now()})
		if err := s.disks.write(a.Write, fmt.Appendf(nil, "%s%d\n", header, len(s.formats))); err != nil {
			return fmt.Errorf("format %s: %w", m.Handle, err)
		}
	}
	if s.users[m.Handle] == nil {
		s.users[m.Handle] = map[types.UID]string{}
	}
	s.users[m.Handle][m.Pod] = m.Node
	return nil
}

// Unmount implements hollow.VolumeDriver.
func (s *Standin) Unmount(_ context.Context, m hollow.Mount) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users[m.Handle], m.Pod)
	return nil
}

// Write makes data the content of the file system on a volume that a pod has
// mounted. It goes through the running engine to every replica that takes
// writes.
func (s *Standin) Write(volume string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, raw, err := s.mounted(volume)
	if err != nil {
		return fmt.Errorf("write to %s: %w", volume, err)
	}
	head, _, _ := bytes.Cut(raw, []byte("\n"))
	if err := s.disks.write(a.Write, append(append(bytes.Clone(head), '\n'), data...)); err != nil {
		return fmt.Errorf("write to %s: %w", volume, err)
	}
	return nil
}

// Read returns the content of the file system on a volume that a pod has
// mounted, from one readable replica after the other.
func (s *Standin) Read(volume string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, raw, err := s.mounted(volume)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", volume, err)
	}
	_, data, _ := bytes.Cut(raw, []byte("\n"))
	return data, nil
}

// mounted returns a volume's attachment and raw content.
func (s *Standin) mounted(volume string) (model.Attachment, []byte, error) {
	a, ok := s.model.Attached(volume)
	if !ok || !a.Frontend {
		return a, nil, ErrNotAttached
	}
	here := false
	for _, node := range s.users[volume] {
		here = here || node == a.Node
	}
	if !here {
		return a, nil, ErrNotMounted
	}
	raw, err := s.device(volume, a)
	if err == nil && !bytes.HasPrefix(raw, []byte(header)) {
		err = ErrNoFS
	}
	return a, raw, err
}

// device reads a volume's raw content as its engine does: from one readable
// replica after the other.
func (s *Standin) device(volume string, a model.Attachment) ([]byte, error) {
	s.turns[volume]++
	return s.disks.read(a.Read[s.turns[volume]%len(a.Read)])
}
