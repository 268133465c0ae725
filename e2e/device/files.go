// SPDX-License-Identifier: Apache-2.0

package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
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

// Devices are the block devices of a storage. Its methods may be called
// concurrently.
type Devices interface {
	// DeviceNode is the node that the volume's device is on, false if there is
	// none.
	DeviceNode(volume string) (string, bool)
	// ReadDevice returns all that is on the device, from one replica after the
	// other.
	ReadDevice(volume string) ([]byte, error)
	// WriteDevice replaces it, on every replica that takes writes.
	WriteDevice(volume string, raw []byte) error
}

// Format is one making of a file system.
type Format struct {
	Volume, Node, Pod string
	At                time.Time
}

// Files is the file systems on a storage's devices. It is the VolumeDriver of a
// fleet, and its methods may be called concurrently.
type Files struct {
	devices Devices

	mu      sync.Mutex
	formats []Format
	users   map[string]map[types.UID]string // of a volume: pods that have it mounted, and where
}

var _ hollow.VolumeDriver = (*Files)(nil)

// New returns the file systems on the devices.
func New(d Devices) *Files {
	return &Files{devices: d, users: map[string]map[types.UID]string{}}
}

// Formats returns every making of a file system so far, in order. A volume that
// occurs twice has lost what it held.
func (f *Files) Formats() []Format {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Format(nil), f.formats...)
}

// Mount implements hollow.VolumeDriver: it looks for a file system on the
// device, and makes one where there is none.
func (f *Files) Mount(ctx context.Context, m hollow.Mount) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if node, ok := f.devices.DeviceNode(m.Handle); !ok || node != m.Node {
		return fmt.Errorf("mount %s on %s: %w", m.Handle, m.Node, ErrNotAttached)
	}
	raw, err := f.devices.ReadDevice(m.Handle)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Handle, err)
	}
	if !bytes.HasPrefix(raw, []byte(header)) {
		f.formats = append(f.formats, Format{Volume: m.Handle, Node: m.Node, Pod: m.PodName, At: time.Now()})
		if err := f.devices.WriteDevice(m.Handle, fmt.Appendf(nil, "%s%d\n", header, len(f.formats))); err != nil {
			return fmt.Errorf("format %s: %w", m.Handle, err)
		}
	}
	if f.users[m.Handle] == nil {
		f.users[m.Handle] = map[types.UID]string{}
	}
	f.users[m.Handle][m.Pod] = m.Node
	return nil
}

// Unmount implements hollow.VolumeDriver.
func (f *Files) Unmount(_ context.Context, m hollow.Mount) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.users[m.Handle], m.Pod)
	return nil
}

// Write makes data the content of the file system on a volume that a pod has
// mounted. It goes through the running engine to every replica that takes
// writes.
func (f *Files) Write(volume string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, err := f.mounted(volume)
	if err != nil {
		return fmt.Errorf("write to %s: %w", volume, err)
	}
	head, _, _ := bytes.Cut(raw, []byte("\n"))
	if err := f.devices.WriteDevice(volume, append(append(bytes.Clone(head), '\n'), data...)); err != nil {
		return fmt.Errorf("write to %s: %w", volume, err)
	}
	return nil
}

// Read returns the content of the file system on a volume that a pod has
// mounted.
func (f *Files) Read(volume string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, err := f.mounted(volume)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", volume, err)
	}
	_, data, _ := bytes.Cut(raw, []byte("\n"))
	return data, nil
}

// mounted returns the raw content of a volume that is in use.
func (f *Files) mounted(volume string) ([]byte, error) {
	device, ok := f.devices.DeviceNode(volume)
	if !ok {
		return nil, ErrNotAttached
	}
	here := false
	for _, node := range f.users[volume] {
		here = here || node == device
	}
	if !here {
		return nil, ErrNotMounted
	}
	raw, err := f.devices.ReadDevice(volume)
	if err == nil && !bytes.HasPrefix(raw, []byte(header)) {
		err = ErrNoFS
	}
	return raw, err
}
