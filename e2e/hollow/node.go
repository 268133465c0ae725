// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NodeSpec describes a machine to be made.
type NodeSpec struct {
	// Name of the Node; the same as that of a machine long gone is fine.
	Name string
	// Labels that the Node registers with, besides the well-known ones.
	Labels map[string]string
	// Taints that the Node registers with.
	Taints []corev1.Taint
	// DiskDir is the folder of a disk that was kept (see KeepDisk). Empty means
	// a new, empty disk.
	DiskDir string
}

// Node is what the fleet knows of one of its machines at one moment.
type Node struct {
	Name       string
	UID        types.UID // of the Node object that it registered last
	ProviderID string    // unique to the machine, also among machines of one name
	BootID     string    // new at each boot
	IP         string
	DiskDir    string
	On         bool
}

// DiskFate says what becomes of the disk of a machine that is taken away.
type DiskFate int

const (
	// DestroyDisk deletes the folder.
	DestroyDisk DiskFate = iota
	// KeepDisk leaves the folder to the caller, to be given to another machine
	// as NodeSpec.DiskDir.
	KeepDisk
)

// machine is one computer: a disk, an address, and a kubelet while it is on.
type machine struct {
	fleet  *Fleet
	spec   NodeSpec
	serial int // unique in the fleet; gives addresses and the provider ID

	work sync.Mutex // held by whoever switches it on or off

	mu   sync.Mutex // guards what follows
	node Node
	k    *kubelet // nil: off
}

// kubelet returns the running kubelet, nil if the machine is off.
func (m *machine) kubelet() *kubelet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.k
}

func (m *machine) snapshot() Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.node
	n.On = m.k != nil
	return n
}

// AddNode makes a machine and switches it on. It returns when the Node is
// registered; WaitReady waits for more. ErrNodeExists if the fleet has a machine
// of that name; an error as well if a Node of that name exists that is not the
// fleet's. A machine whose registration fails is taken away again.
func (f *Fleet) AddNode(ctx context.Context, spec NodeSpec) (Node, error) {
	if spec.Name == "" {
		return Node{}, errors.New("add node: no name")
	}
	if _, err := f.client.CoreV1().Nodes().Get(ctx, spec.Name, metav1.GetOptions{}); err == nil {
		return Node{}, fmt.Errorf("add node %s: a Node object of that name exists: %w", spec.Name, ErrNodeExists)
	} else if !apierrors.IsNotFound(err) {
		return Node{}, fmt.Errorf("add node %s: %w", spec.Name, err)
	}
	m, err := f.newMachine(spec)
	if err != nil {
		return Node{}, fmt.Errorf("add node %s: %w", spec.Name, err)
	}
	if err := m.boot(ctx); err != nil {
		f.forget(spec.Name)
		if spec.DiskDir == "" {
			err = errors.Join(err, f.scrap(m.snapshot().DiskDir))
		}
		return Node{}, fmt.Errorf("add node %s: %w", spec.Name, err)
	}
	return m.snapshot(), nil
}

// newMachine enters a machine that is off into the register, with its disk.
func (f *Fleet) newMachine(spec NodeSpec) (*machine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.machines[spec.Name] != nil {
		return nil, ErrNodeExists
	}
	f.serial++
	m := &machine{fleet: f, spec: spec, serial: f.serial}
	dir := spec.DiskDir
	if dir == "" {
		dir = f.diskPath(spec.Name, f.serial)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("disk: %w", err)
		}
	} else if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("disk %s is not there: %w", dir, errors.Join(err, os.ErrNotExist))
	}
	for _, other := range f.machines {
		if other.snapshot().DiskDir == dir {
			return nil, fmt.Errorf("disk %s belongs to node %s", dir, other.spec.Name)
		}
	}
	m.node = Node{
		Name: spec.Name, DiskDir: dir, IP: m.address(),
		ProviderID: fmt.Sprintf("hollow://%s/%d", spec.Name, m.serial),
	}
	f.machines[spec.Name] = m
	return m, nil
}

func (f *Fleet) machine(name string) (*machine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.machines[name]
	if m == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNoNode)
	}
	return m, nil
}

func (f *Fleet) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.machines, name)
}

// PowerOff cuts the power: heartbeats stop, the pods' processes are gone, no
// volume is unmounted, and nothing tells the API server. The Node object stays
// and becomes NotReady when the node monitor grace period has passed. Off
// already is fine.
func (f *Fleet) PowerOff(name string) error {
	m, err := f.machine(name)
	if err != nil {
		return fmt.Errorf("power off: %w", err)
	}
	m.halt()
	return nil
}

// PowerOn boots a machine with the disk that it has. Its kubelet registers the
// Node anew if the object has been deleted, and takes up the pods that are bound
// to its name. It returns when the Node is registered. On already is fine.
func (f *Fleet) PowerOn(ctx context.Context, name string) error {
	m, err := f.machine(name)
	if err != nil {
		return fmt.Errorf("power on: %w", err)
	}
	if err := m.boot(ctx); err != nil {
		return fmt.Errorf("power on %s: %w", name, err)
	}
	return nil
}

// DeleteNode takes a machine away: power off, the Node object deleted (gone
// already is fine), the machine forgotten and its disk destroyed or kept. What
// was bound to the node is left to the controllers.
func (f *Fleet) DeleteNode(ctx context.Context, name string, fate DiskFate) error {
	m, err := f.machine(name)
	if err != nil {
		return fmt.Errorf("delete node: %w", err)
	}
	m.halt()
	node := m.snapshot()
	del := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &node.UID}}
	err = f.client.CoreV1().Nodes().Delete(ctx, name, del)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	f.forget(name)
	if fate == KeepDisk {
		return nil
	}
	if err := f.scrap(node.DiskDir); err != nil {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	return nil
}

// Recreate replaces a machine by a new one, under the same name or another: the
// old one is deleted with its disk, unless spec.DiskDir is that disk. It returns
// when the new Node is registered.
func (f *Fleet) Recreate(ctx context.Context, old string, spec NodeSpec) (Node, error) {
	fate := DestroyDisk
	if spec.DiskDir != "" && spec.DiskDir == f.DiskDir(old) {
		fate = KeepDisk
	}
	if err := f.DeleteNode(ctx, old, fate); err != nil {
		return Node{}, fmt.Errorf("recreate: %w", err)
	}
	return f.AddNode(ctx, spec)
}

// ReplaceDisk gives a machine that is off a new, empty disk, as when a machine
// is installed anew without its Node being deleted. The old disk is destroyed.
func (f *Fleet) ReplaceDisk(name string) error {
	m, err := f.machine(name)
	if err != nil {
		return fmt.Errorf("replace disk: %w", err)
	}
	m.work.Lock()
	defer m.work.Unlock()
	node := m.snapshot()
	if node.On {
		return fmt.Errorf("replace disk of %s: the machine is on", name)
	}
	f.mu.Lock()
	f.serial++
	dir := f.diskPath(name, f.serial)
	f.mu.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("replace disk of %s: %w", name, err)
	}
	m.useDisk(dir)
	if err := f.scrap(node.DiskDir); err != nil {
		return fmt.Errorf("replace disk of %s: %w", name, err)
	}
	return nil
}

// SwapDisks puts the disk of each of two machines that are off into the other.
func (f *Fleet) SwapDisks(one, other string) error {
	a, err := f.machine(one)
	if err != nil {
		return fmt.Errorf("swap disks: %w", err)
	}
	b, err := f.machine(other)
	if err != nil {
		return fmt.Errorf("swap disks: %w", err)
	}
	if a == b {
		return fmt.Errorf("swap disks: %s has one disk", one)
	}
	if a.serial > b.serial { // one order for all who swap
		a, b = b, a
	}
	a.work.Lock()
	defer a.work.Unlock()
	b.work.Lock()
	defer b.work.Unlock()
	left, right := a.snapshot(), b.snapshot()
	if left.On || right.On {
		return fmt.Errorf("swap disks of %s and %s: a machine is on", one, other)
	}
	a.useDisk(right.DiskDir)
	b.useDisk(left.DiskDir)
	return nil
}

// useDisk puts a disk into a machine.
func (m *machine) useDisk(dir string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.node.DiskDir = dir
}

// scrap destroys a disk.
func (f *Fleet) scrap(dir string) error {
	if err := f.opts.Hardware.Scrap(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
