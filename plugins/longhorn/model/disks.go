// SPDX-License-Identifier: Apache-2.0

package model

import "time"

// Disks is the world's side of the data plane: the disks of the nodes and the
// replica directories on them. The model calls it during Step, and only for
// nodes that are there and running. An implementation answers at once.
type Disks interface {
	// Mounted tells which disk is mounted at the path of a node; false when
	// there is none.
	Mounted(node, path string) (Disk, bool)
	// Label writes the identity that Longhorn gives to a blank disk
	// (longhorn-disk.cfg).
	Label(node, path, uuid string) error
	// Stat tells about a replica directory; false when it does not exist.
	Stat(at Place) (Directory, bool)
	// Create makes a directory with no data in it.
	Create(at Place, blank Directory) error
	// Begin marks a directory, which exists, as one into which a copy has begun.
	Begin(at Place) error
	// Copy makes the data of one directory that of another, which exists, and
	// takes its rebuilding mark off.
	Copy(from, to Place) error
	// Remove deletes a directory; none there is no error.
	Remove(at Place) error
	// Changed tells where something has changed on the disks, by the model's hand
	// or anybody's, since it was asked last; a place without a name is the whole
	// disk. It returns false where nobody can tell.
	Changed() ([]Place, bool)
}

// Disk is one disk, whichever node it is in.
type Disk struct {
	UUID       string // what Label wrote; empty on a disk that Longhorn has not seen
	Filesystem string // the file system's own identity, part of the default disk's name
	Maximum    int64  // bytes
	Available  int64  // bytes
}

// Place is where a replica keeps its data.
type Place struct {
	Node string
	Path string // of the disk, such as /var/lib/longhorn/
	Name string // of the directory below its replicas folder
}

// Directory is what can be told of a replica's data without reading it.
type Directory struct {
	Size       int64 // of the volume, bytes
	Used       int64 // really stored, bytes
	Revision   int64 // number of writes, from 1; 0 when the volume does not count them
	Rebuilding bool  // a copy into it has begun and not ended
}

// Rebuild says how the copying of a volume's replicas goes.
type Rebuild struct {
	Duration time.Duration // of the copy; 0 = Timing.Rebuild
	Failure  string        // if not empty, the copy fails with this message when it is half done
}
