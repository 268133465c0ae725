// SPDX-License-Identifier: Apache-2.0

// Package memdisk keeps the disks of a model in memory, with the bytes of every
// replica, and knows the truth: which bytes are where.
//
// It may touch its own memory only. It must never look at the model's objects:
// what they say and what is on the disks are two things.
//
// Start reading at [Disks].
package memdisk

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Errors of reading, writing and placing.
var (
	ErrNoDisk    = errors.New("no disk is mounted")
	ErrNoReplica = errors.New("no such replica directory")
	ErrMixed     = errors.New("the replicas hold different bytes")
)

// Disks is the hardware of all nodes. It implements [model.Disks].
type Disks struct {
	mounted map[string]*Disk // by node
	made    int
	changed []model.Place
}

// Disk is one disk, in a node or in a drawer.
type Disk struct {
	uuid        string
	filesystem  string
	size        int64
	directories map[string]*directory
}

type directory struct {
	model.Directory
	data []byte
}

// New returns nodes without disks.
func New() *Disks { return &Disks{mounted: map[string]*Disk{}} }

// Blank returns a disk of that many bytes with nothing on it.
func (d *Disks) Blank(size int64) *Disk {
	d.made++
	return &Disk{filesystem: fmt.Sprintf("%016x", d.made), size: size, directories: map[string]*directory{}}
}

// Insert puts a disk into a node, in the place of the one it had.
func (d *Disks) Insert(node string, disk *Disk) {
	d.mounted[node] = disk
	d.note(model.Place{Node: node})
}

// Pull takes the disk out of a node and returns it, nil if there was none.
func (d *Disks) Pull(node string) *Disk {
	disk := d.mounted[node]
	delete(d.mounted, node)
	d.note(model.Place{Node: node})
	return disk
}

// Mounted implements [model.Disks]; each node has one disk, at every path.
func (d *Disks) Mounted(node, _ string) (model.Disk, bool) {
	disk := d.mounted[node]
	if disk == nil {
		return model.Disk{}, false
	}
	used := int64(0)
	for _, dir := range disk.directories {
		used += int64(len(dir.data))
	}
	return model.Disk{UUID: disk.uuid, Filesystem: disk.filesystem, Maximum: disk.size, Available: disk.size - used}, true
}

// Label implements [model.Disks].
func (d *Disks) Label(node, _, uuid string) error {
	disk := d.mounted[node]
	if disk == nil {
		return fmt.Errorf("node %s: %w", node, ErrNoDisk)
	}
	disk.uuid = uuid
	d.note(model.Place{Node: node})
	return nil
}

// Stat implements [model.Disks].
func (d *Disks) Stat(at model.Place) (model.Directory, bool) {
	dir, err := d.at(at)
	if err != nil {
		return model.Directory{}, false
	}
	s := dir.Directory
	s.Used = int64(len(dir.data))
	return s, true
}

// Create implements [model.Disks].
func (d *Disks) Create(at model.Place, blank model.Directory) error {
	disk := d.mounted[at.Node]
	if disk == nil {
		return fmt.Errorf("node %s: %w", at.Node, ErrNoDisk)
	}
	disk.directories[at.Name] = &directory{Directory: blank}
	d.note(at)
	return nil
}

// Begin implements [model.Disks].
func (d *Disks) Begin(at model.Place) error {
	dir, err := d.at(at)
	if err != nil {
		return err
	}
	dir.Rebuilding = true
	d.note(at)
	return nil
}

// Copy implements [model.Disks].
func (d *Disks) Copy(from, to model.Place) error {
	src, err := d.at(from)
	if err != nil {
		return err
	}
	dst, err := d.at(to)
	if err != nil {
		return err
	}
	dst.data, dst.Revision, dst.Rebuilding = slices.Clone(src.data), src.Revision, false
	d.note(to)
	return nil
}

// Remove implements [model.Disks].
func (d *Disks) Remove(at model.Place) error {
	if disk := d.mounted[at.Node]; disk != nil {
		delete(disk.directories, at.Name)
		d.note(at)
	}
	return nil
}

// Changed implements [model.Disks].
func (d *Disks) Changed() ([]model.Place, bool) {
	changed := d.changed
	d.changed = nil
	return changed, true
}

func (d *Disks) note(at model.Place) { d.changed = append(d.changed, at) }

// Write makes data the content of an attached volume that held other bytes: on
// every replica that takes writes. A write changes a part: on a replica that did
// not hold what it was made over, or not yet whole, it leaves something that
// nobody ever wrote. Over nothing the whole is written anew, whatever lay below.
// One that cannot be written, because somebody has taken its directory away, is an
// error, and keeps nobody from writing to the others.
func (d *Disks) Write(a model.Attachment, over, data []byte) error {
	var failed error
	for _, at := range a.Write {
		dir, err := d.at(at)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		d.note(at)
		held := bytes.Equal(dir.data, over)
		if dir.data = slices.Clone(data); dir.Rebuilding || len(over) > 0 && !held {
			dir.data = append(dir.data, patchwork...)
		}
		if dir.Revision > 0 {
			dir.Revision++
		}
	}
	return failed
}

// patchwork marks the bytes of a replica that has a write, and not what lay below.
const patchwork = " over something else"

// Read returns the content of an attached volume. An engine reads from one
// readable replica after the other: where they differ, nothing fits together. Those
// that are not there do not answer.
func (d *Disks) Read(a model.Attachment) ([]byte, error) {
	var read *directory
	failed := ErrNoReplica
	for _, at := range a.Read {
		dir, err := d.at(at)
		switch {
		case err != nil:
			failed = err
		case read != nil && !bytes.Equal(read.data, dir.data):
			return nil, ErrMixed
		default:
			read = dir
		}
	}
	if read == nil {
		return nil, failed
	}
	return slices.Clone(read.data), nil
}

// Data is one replica directory that really exists, on a disk that is in a node.
type Data struct {
	Node, Directory string
	Bytes           []byte
	Whole           bool // no copy into it was interrupted, and none is on its way
}

// Truth returns every replica directory on the disks that are in nodes, by node
// and name.
func (d *Disks) Truth() []Data {
	var out []Data
	for node, disk := range d.mounted {
		for name, dir := range disk.directories {
			out = append(out, Data{Node: node, Directory: name, Bytes: slices.Clone(dir.data), Whole: !dir.Rebuilding})
		}
	}
	slices.SortFunc(out, func(a, b Data) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Directory, b.Directory))
	})
	return out
}

// Look returns what really lies at a place; false where nothing does.
func (d *Disks) Look(at model.Place) (Data, bool) {
	dir, err := d.at(at)
	if err != nil {
		return Data{}, false
	}
	return Data{Node: at.Node, Directory: at.Name, Bytes: dir.data, Whole: !dir.Rebuilding}, true
}

func (d *Disks) at(p model.Place) (*directory, error) {
	disk := d.mounted[p.Node]
	if disk == nil {
		return nil, fmt.Errorf("node %s: %w", p.Node, ErrNoDisk)
	}
	dir := disk.directories[p.Name]
	if dir == nil {
		return nil, fmt.Errorf("%s on %s: %w", p.Name, p.Node, ErrNoReplica)
	}
	return dir, nil
}
