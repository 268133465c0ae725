// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
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
	here, elsewhere := st.copies(b, "")
	if here+elsewhere > 0 {
		return true
	}
	say.add(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", of which no copy is on a disk that can be read.",
		fact("volume.base", v.Base), fact("base.copies", strconv.Itoa(len(b.Copies))))
	return false
}

// copies counts the image's copies that can be read, on the node and elsewhere.
func (st *storageWorld) copies(b *cluster.Base, node string) (here, elsewhere int) {
	for i := range b.Copies {
		c := &b.Copies[i]
		on, ok := st.ready[c.DiskUUID]
		switch {
		case c.Ready != cluster.Yes || !ok || st.disks[c.DiskUUID] != 1:
		case on == node:
			here++
		default:
			elsewhere++
		}
	}
	return here, elsewhere
}

// onlyBases lists the images whose only copies lie on the node. The loss of
// one that a volume is layered upon is the loss of the volume, and cannot be
// accepted.
func (j *Judgement) onlyBases(ref cluster.NodeRef) []Finding {
	w := newWorld(j.Snapshot, j.Policy, j.Now)
	var out []Finding
	for i := range w.storages {
		st := &w.storages[i]
		inUse := map[string]bool{}
		for k := range st.facts.Volumes {
			inUse[st.facts.Volumes[k].Base] = true
		}
		for k := range st.facts.Bases {
			b := &st.facts.Bases[k]
			if !st.copyOn(b, ref.Name) {
				continue
			}
			if _, elsewhere := st.copies(b, ref.Name); elsewhere > 0 {
				continue
			}
			f := Finding{Code: BaseOnlyCopy, Severity: Danger,
				Subject:  Subject{Kind: "Base", Namespace: st.facts.Namespace, Name: b.Name},
				Message:  fmt.Sprintf("Node %s holds the only copy of image %s that can be read.", ref.Name, b.Name),
				Evidence: []cluster.Fact{fact("base.copies", strconv.Itoa(len(b.Copies)))}}
			if !inUse[b.Name] {
				f = j.acceptable(f)
			}
			out = append(out, f)
		}
	}
	return out
}

// copyOn reports whether a disk of the node holds a copy, readable or not.
func (st *storageWorld) copyOn(b *cluster.Base, node string) bool {
	sn := st.nodes[node]
	if sn == nil {
		return false
	}
	for i := range sn.Disks {
		for k := range b.Copies {
			if sn.Disks[i].UUID == b.Copies[k].DiskUUID && b.Copies[k].DiskUUID != "" {
				return true
			}
		}
	}
	return false
}
