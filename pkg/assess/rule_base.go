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

// layered is a question: can the image under the volume be read without the
// node? While the node is down the volume's other replicas could not be opened,
// and if its disk does not come back, never again.
func (j *Judgement) layered() question {
	var of map[string]*storageWorld // made when the first volume needs it
	return func(say volumeVoice, m Machine, _ Turn) *Finding {
		v, node := say.vj.Volume, m.node
		if v.Base == "" || idle(say.vj) {
			return nil
		}
		if of == nil {
			of = j.storageWorlds()
		}
		st := of[say.vj.Driver]
		b := st.bases[v.Base]
		if b != nil && st.copies(b, node) > 0 {
			return nil
		}
		f := say.finding(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", of which no copy can be read without node "+node+".",
			fact("volume.base", v.Base))
		if b != nil && slices.ContainsFunc(b.Copies, func(c cluster.BaseCopy) bool { return st.holder(c.DiskUUID, node) == cluster.Yes }) {
			f.Severity = Danger
		}
		return &f
	}
}

// idle: there is nothing to be opened, now or ever.
func idle(vj *VolumeJudgement) bool { return vj.Condition == Going || vj.Condition == Unused }

// storageWorlds are what is known of each storage, by its driver.
func (j *Judgement) storageWorlds() map[string]*storageWorld {
	w := newWorld(j.Snapshot, j.Policy, j.Now, nil)
	of := make(map[string]*storageWorld, len(w.storages))
	for i := range w.storages {
		of[w.storages[i].facts.Driver] = &w.storages[i]
	}
	return of
}

// onlyBases lists the images whose only copies lie on the node, or may. The
// loss of one that a volume is layered upon is the loss of the volume, and
// cannot be accepted.
func (j *Judgement) onlyBases(ref cluster.NodeRef) []Finding {
	if !slices.ContainsFunc(j.Snapshot.Storages, func(st cluster.Storage) bool { return len(st.Bases) > 0 }) {
		return nil
	}
	w := newWorld(j.Snapshot, j.Policy, j.Now, nil)
	var out []Finding
	for i := range w.storages {
		st := &w.storages[i]
		inUse := map[string]bool{}
		for k := range j.Volumes {
			if vj := &j.Volumes[k]; vj.Driver == st.facts.Driver && !idle(vj) {
				inUse[vj.Volume.Base] = true
			}
		}
		for k := range st.facts.Bases {
			b := &st.facts.Bases[k]
			f := st.onlyBase(b, ref.Name)
			if f == nil {
				continue
			}
			if !inUse[b.Name] {
				*f = j.acceptable(*f)
			}
			out = append(out, *f)
		}
	}
	return out
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
