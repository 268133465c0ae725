// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

const (
	rebuildLimit   = "concurrent-replica-rebuild-per-node-limit"
	minimalLeft    = "storage-minimal-available-percentage"
	overProvision  = "storage-over-provisioning-percentage"
	emptyNodeTags  = "allow-empty-node-selector-volume"
	emptyDiskTags  = "allow-empty-disk-selector-volume"
	cordonDisables = "disable-scheduling-on-cordoned-node"
)

// settings are Longhorn's settings that decide placement. Where one was not
// read, its default is taken; of the two defaults that over-provisioning has
// had, the smaller one.
type settings struct {
	rebuilds     int64
	minimalLeft  int64 // percent of a disk that stays free
	overProvided int64 // percent of a disk that may be promised
	// emptyNode and emptyDisk: a volume without tags may go where tags are.
	emptyNode, emptyDisk bool
	heedsCordons         bool
	// old: Longhorn 1.4, where failed replicas never count as places taken.
	old bool
}

func settingsOf(st *cluster.Storage) settings {
	s := settings{rebuilds: 5, minimalLeft: 25, overProvided: 100, emptyNode: true, emptyDisk: true, heedsCordons: true}
	s.old = strings.HasPrefix(strings.TrimPrefix(st.Version, "v"), "1.4.")
	if s.old {
		s.overProvided = 200
	}
	for _, f := range st.Settings {
		switch f.Name {
		case rebuildLimit:
			number(f.Value, &s.rebuilds)
		case minimalLeft:
			number(f.Value, &s.minimalLeft)
		case overProvision:
			number(f.Value, &s.overProvided)
		case emptyNodeTags:
			s.emptyNode = f.Value != "false"
		case emptyDiskTags:
			s.emptyDisk = f.Value != "false"
		case cordonDisables:
			s.heedsCordons = f.Value != "false"
		}
	}
	return s
}

// number leaves the default where the value is none.
func number(value string, to *int64) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		*to = n
	}
}

// fits reports whether a disk has room for a replica, beside what was placed
// there already.
func (b *board) fits(v *cluster.Volume, u usage, at place) bool {
	return at.disk.Maximum > 0 && at.disk.Available > 0 && b.short(v, u, at) == 0
}

// short is how many bytes of space the disk lacks for a replica, 0 for none:
// enough must stay free after its data are written, and no more may be promised
// than the setting allows (IsSchedulableToDisk, the same from 1.4 to 1.12).
// Percentages are taken as Longhorn takes them, in floating point.
func (b *board) short(v *cluster.Volume, u usage, at place) int64 {
	d := at.disk
	left, least := b.left(v, d), percent(d.Maximum, b.set.minimalLeft)
	free := int64(0)
	if left <= least {
		free = least - left + 1
	}
	return max(free, b.promised(v, u, at)-percent(d.Maximum-d.Reserved, b.set.overProvided), 0)
}

// left is what stays free of the disk once the replica is written, promised
// what is then promised of it. The volume's replicas on other disks of the node
// count as promised of this one too: Longhorn looks for them among those of the
// disk, in case it was not told of them yet (filterNodeDisksForReplica).
func (b *board) left(v *cluster.Volume, d *cluster.Disk) int64 {
	return d.Available - b.written[d.UUID] - v.Used
}

func (b *board) promised(v *cluster.Volume, u usage, at place) int64 {
	return at.disk.Scheduled + b.scheduled[at.disk.UUID] + v.Size*(1+u.beside(at))
}

func percent(of, part int64) int64 { return int64(float64(of) * float64(part) / 100) }

// inGiB spells bytes for people, rounded up to a tenth.
func inGiB(bytes int64) string {
	const gib = int64(1) << 30
	n := (bytes*10 + gib - 1) / gib
	return fmt.Sprintf("%d.%d GiB", n/10, n%10)
}

// room is how much of the disk is neither used nor reserved: of the disks that
// can take a replica Longhorn prefers the one with most of it, whatever is
// promised (getDiskWithMostUsableStorage).
func (b *board) room(d *cluster.Disk) int64 {
	return d.Available - b.written[d.UUID] - d.Reserved
}

// tagged reports whether a place with these tags takes what asks for those:
// every one that is asked for must be there, and what asks for none may be
// refused by places that have some.
func tagged(has, wants []string, emptyAllowed bool) bool {
	if len(wants) == 0 {
		return emptyAllowed || len(has) == 0
	}
	for _, w := range wants {
		found := false
		for _, h := range has {
			found = found || h == w
		}
		if !found {
			return false
		}
	}
	return true
}
