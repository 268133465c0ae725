// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A volume may be layered upon an image, of which the storage keeps copies by
// disk. Its replicas cannot be opened without one, and copies on disks that
// are gone are still listed.

// baseRule says whether the image under the volume can be read.
func (say volumeVoice) baseRule(st *storageWorld) bool {
	v := say.vj.Volume
	if v.Base == "" {
		return true
	}
	b := st.bases[v.Base]
	if b == nil {
		say.add(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", which its storage does not list.", fact("volume.base", v.Base))
		return false
	}
	if st.copies(b, "") > 0 {
		return true
	}
	say.add(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", of which no copy is on a disk that can be read.",
		fact("volume.base", v.Base), fact("base.copies", strconv.Itoa(len(b.Copies))))
	return false
}

// copies counts the image's copies that can be read on other nodes than one.
func (st *storageWorld) copies(b *cluster.Base, without string) int {
	n := 0
	for i := range b.Copies {
		c := &b.Copies[i]
		on, ok := st.ready[c.DiskUUID]
		if c.Ready == cluster.Yes && ok && on != without && st.disks[c.DiskUUID] == 1 {
			n++
		}
	}
	return n
}

// onlyBases lists the images whose only copies lie on the node, or may. The
// loss of one that a volume is layered upon is the loss of the volume, and
// cannot be accepted.
func (j *Judgement) onlyBases(ref cluster.NodeRef) []Finding {
	used, unused := j.basesOnlyOn(ref)
	for _, f := range unused {
		used = append(used, j.acceptable(f))
	}
	return used
}

// onlyBasesInUse lists those of them that volumes are layered upon: while the
// node is down these can be opened nowhere.
func (j *Judgement) onlyBasesInUse(ref cluster.NodeRef) []Finding {
	used, _ := j.basesOnlyOn(ref)
	return used
}

func (j *Judgement) basesOnlyOn(ref cluster.NodeRef) (used, unused []Finding) {
	if !slices.ContainsFunc(j.Snapshot.Storages, func(st cluster.Storage) bool { return len(st.Bases) > 0 }) {
		return nil, nil
	}
	w := newWorld(j.Snapshot, j.Policy, j.Now, nil)
	for i := range w.storages {
		st := &w.storages[i]
		inUse := map[string]bool{}
		for k := range st.facts.Volumes {
			inUse[st.facts.Volumes[k].Base] = true
		}
		for k := range st.facts.Bases {
			b := &st.facts.Bases[k]
			f := st.onlyBase(b, ref.Name)
			switch {
			case f == nil:
			case inUse[b.Name]:
				used = append(used, *f)
			default:
				unused = append(unused, *f)
			}
		}
	}
	return used, unused
}

// onlyBase says whether the image would be lost with the node; nil for no.
func (st *storageWorld) onlyBase(b *cluster.Base, node string) *Finding {
	if st.copies(b, node) > 0 {
		return nil
	}
	f := Finding{Code: BaseOnlyCopy, Severity: Danger,
		Subject:  Subject{Kind: "Base", Namespace: st.facts.Namespace, Name: b.Name},
		Message:  fmt.Sprintf("Node %s holds the only copy of image %s that can be read.", node, b.Name),
		Evidence: []cluster.Fact{fact("base.copies", strconv.Itoa(len(b.Copies)))}}
	lost := false
	for i := range b.Copies {
		switch st.holder(b.Copies[i].DiskUUID, node) {
		case cluster.Yes:
			return &f
		case cluster.Unknown:
			lost = true
		}
	}
	if !lost {
		return nil
	}
	f.Severity = Unclear
	f.Message = fmt.Sprintf("Image %s has no copy that can be read, and where its copies lie cannot be told: node %s may hold one.", b.Name, node)
	return &f
}

// holder says whether the disk is the node's, readable or not; unknown where
// no node has it.
func (st *storageWorld) holder(disk, node string) cluster.Answer {
	found := cluster.Unknown
	for i := range st.facts.Nodes {
		sn := &st.facts.Nodes[i]
		for k := range sn.Disks {
			switch {
			case disk == "" || sn.Disks[k].UUID != disk:
			case sn.Name == node:
				return cluster.Yes
			default:
				found = cluster.No
			}
		}
	}
	return found
}
