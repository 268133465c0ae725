// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A volume may be layered upon an image, of which the storage keeps copies by
// disk. Its replicas cannot be opened without one, and copies on disks that
// are gone are still listed. So are those of a machine that was set up again
// under the name of the one that had them: as with replicas, what was last seen
// before the node was made was seen on another machine, perhaps.

// imageWorld is an image and where it can be read.
type imageWorld struct {
	facts *cluster.Base
	// on are the nodes with a copy that can be read, former those whose copy was
	// last seen, or may have been, by the machine before.
	on, former []string
}

// newImage sorts the image's copies; the storage's disks are indexed. upon are
// the replicas that are layered upon it.
func (w *world) newImage(st *storageWorld, b *cluster.Base, upon []*cluster.Replica) imageWorld {
	x := imageWorld{facts: b}
	for i := range b.Copies {
		c := &b.Copies[i]
		on, ok := st.ready[c.DiskUUID]
		read := func(r *cluster.Replica) bool {
			return r.Node == on && r.DiskUUID == c.DiskUUID && w.incarnation(r).standing == cluster.StandingGood
		}
		switch {
		case c.Ready != cluster.Yes || !ok || st.disks[c.DiskUUID] != 1:
		case w.seenHere(b, c, w.nodes[on].facts), slices.ContainsFunc(upon, read):
			x.on = append(x.on, on)
		default:
			x.former = append(x.former, on)
		}
	}
	return x
}

// addImages sorts the copies of the storage's images, which some of the volumes
// are layered upon.
func (w *world) addImages(st *storageWorld, volumes iter.Seq[cluster.Volume]) {
	all := st.facts.Bases
	if len(all) == 0 {
		return
	}
	upon := layeredUpon(volumes)
	st.images = make([]imageWorld, len(all))
	for i := range all {
		st.images[i] = w.newImage(st, &all[i], upon[all[i].Name])
		st.bases[all[i].Name] = &st.images[i]
	}
}

// layeredUpon are the volumes' replicas by the image that they are layered upon.
func layeredUpon(volumes iter.Seq[cluster.Volume]) map[string][]*cluster.Replica {
	upon := map[string][]*cluster.Replica{}
	for v := range volumes {
		for k := range v.Replicas {
			if v.Base != "" {
				upon[v.Base] = append(upon[v.Base], &v.Replicas[k])
			}
		}
	}
	return upon
}

// seenHere reports whether the copy was seen on the machine that the node is
// now. One that does not say when it was is not; a replica that was healthy on
// that disk, and could not have been without it, may still prove it.
func (w *world) seenHere(b *cluster.Base, c *cluster.BaseCopy, n *cluster.Node) bool {
	switch {
	case c.ReadyAt.IsZero(), n.Created.IsZero(), w.snap.Source != cluster.SourceFiles && w.later(c.ReadyAt, w.now) == cluster.Yes:
		return false
	case b.Created.After(n.Created) && w.later(b.Created, c.ReadyAt) != cluster.Yes:
		return true
	default:
		return w.later(c.ReadyAt, n.Created) == cluster.Yes && w.later(c.ReadyAt, w.retiredAt(n.Ref)) == cluster.Yes
	}
}

// copies counts the image's copies that can be read on other nodes than one.
func (x *imageWorld) copies(without string) int {
	n := 0
	for _, on := range x.on {
		if on != without {
			n++
		}
	}
	return n
}

// doubt says in a clause which copies do not count though they are listed.
func (x *imageWorld) doubt() string {
	if len(x.former) == 0 {
		return ""
	}
	return "; whether the copy on node " + strings.Join(x.former, " or ") + " outlived the machine before is not known"
}

// counted is the evidence of the image's copies.
func (x *imageWorld) counted() []cluster.Fact {
	out := []cluster.Fact{fact("base.copies", strconv.Itoa(len(x.facts.Copies)))}
	if len(x.former) > 0 {
		out = append(out, fact("base.lastSeenBefore", listed(x.former)))
	}
	return out
}

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
	if b.copies("") > 0 {
		return true
	}
	say.add(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", of which no copy is on a disk that can be read"+b.doubt()+".",
		append([]cluster.Fact{fact("volume.base", v.Base)}, b.counted()...)...)
	return false
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
		if b != nil && b.copies(node) > 0 {
			return nil
		}
		f := say.finding(VolumeNoBase, Unclear, "%s is layered upon image "+v.Base+", of which no copy can be read without node "+node+".",
			fact("volume.base", v.Base))
		if b != nil && slices.ContainsFunc(b.facts.Copies, func(c cluster.BaseCopy) bool { return st.holder(c.DiskUUID, node) == cluster.Yes }) {
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
		for k := range st.images {
			b := &st.images[k]
			f := st.onlyBase(b, ref.Name)
			if f == nil {
				continue
			}
			if !inUse[b.facts.Name] {
				*f = j.acceptable(*f)
			}
			out = append(out, *f)
		}
	}
	return out
}

// onlyBase says whether the image would be lost with the node; nil for no.
func (st *storageWorld) onlyBase(b *imageWorld, node string) *Finding {
	if b.copies(node) > 0 {
		return nil
	}
	name := b.facts.Name
	f := Finding{Code: BaseOnlyCopy, Severity: Danger,
		Subject:  Subject{Kind: "Base", Namespace: st.facts.Namespace, Name: name},
		Message:  fmt.Sprintf("Node %s holds the only copy of image %s that can be read%s.", node, name, b.doubt()),
		Evidence: b.counted()}
	lost := false
	for i := range b.facts.Copies {
		switch st.holder(b.facts.Copies[i].DiskUUID, node) {
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
	f.Message = fmt.Sprintf("Image %s has no copy that can be read, and where its copies lie cannot be told: node %s may hold one.", name, node)
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
