// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"
)

// folders are disks in memory. Package memdisk has better ones, and imports this
// package.
type folders struct {
	mounted map[string]*folder // by node
	changed []Place
}

type folder struct {
	uuid        string
	directories map[string]Directory
}

var errNoFolder = errors.New("nothing is there")

func newFolders() *folders { return &folders{mounted: map[string]*folder{}} }

func (f *folders) Changed() ([]Place, bool) {
	changed := f.changed
	f.changed = nil
	return changed, true
}

func (f *folders) note(at Place) { f.changed = append(f.changed, at) }

func (f *folders) insert(node string) {
	f.note(Place{Node: node})
	f.mounted[node] = &folder{directories: map[string]Directory{}}
}

func (f *folders) pull(node string) {
	f.note(Place{Node: node})
	delete(f.mounted, node)
}

// exchange has two nodes change their disks.
func (f *folders) exchange(a, b string) {
	x, y := f.mounted[a], f.mounted[b]
	f.pull(a)
	f.pull(b)
	for node, disk := range map[string]*folder{a: y, b: x} {
		if disk != nil {
			f.mounted[node] = disk
		}
	}
}

func (f *folders) write(a Attachment) {
	for _, at := range a.Write {
		f.note(at)
		if d, ok := f.Stat(at); ok {
			d.Used += 4096
			f.mounted[at.Node].directories[at.Name] = d
		}
	}
}

func (f *folders) Mounted(node, _ string) (Disk, bool) {
	x := f.mounted[node]
	if x == nil {
		return Disk{}, false
	}
	d := Disk{UUID: x.uuid, Filesystem: node, Maximum: 20 << 30, Available: 20 << 30}
	for _, dir := range x.directories {
		d.Available -= dir.Used
	}
	return d, true
}

func (f *folders) Label(node, _, uuid string) error {
	f.note(Place{Node: node})
	f.mounted[node].uuid = uuid
	return nil
}

func (f *folders) Stat(at Place) (Directory, bool) {
	if x := f.mounted[at.Node]; x != nil {
		d, ok := x.directories[at.Name]
		return d, ok
	}
	return Directory{}, false
}

func (f *folders) Create(at Place, blank Directory) error {
	x := f.mounted[at.Node]
	if x == nil {
		return fmt.Errorf("%s: %w", at.Node, errNoFolder)
	}
	f.note(at)
	x.directories[at.Name] = blank
	return nil
}

func (f *folders) Begin(at Place) error {
	d, ok := f.Stat(at)
	if !ok {
		return fmt.Errorf("%s: %w", at.Name, errNoFolder)
	}
	f.note(at)
	d.Rebuilding = true
	f.mounted[at.Node].directories[at.Name] = d
	return nil
}

func (f *folders) Copy(from, to Place) error {
	d, ok := f.Stat(from)
	if _, there := f.Stat(to); !ok || !there {
		return fmt.Errorf("%s or %s: %w", from.Name, to.Name, errNoFolder)
	}
	f.note(to)
	d.Rebuilding = false
	f.mounted[to.Node].directories[to.Name] = d
	return nil
}

func (f *folders) Remove(at Place) error {
	if x := f.mounted[at.Node]; x != nil {
		f.note(at)
		delete(x.directories, at.Name)
	}
	return nil
}
