// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"reflect"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// part is what the objects of one volume add to the facts. Most volumes do not
// change from one look to the next, so it is kept; what it rests on besides the
// volume's own objects is in shared.
type part struct {
	noted bool
	notes notes
	facts []cluster.Volume
	// kin are the volume's objects, unpacked, until the facts are made of them.
	kin *family
	// made: the facts are of the present. open: they rest on what others are
	// doing as well, and are made anew each time.
	made, open bool
}

// atHand bounds how many volumes' objects are held unpacked from the notes to
// the facts: after the first reading there are too many of them, and they are
// unpacked twice.
const atHand = 1000

// notes are what the rest of the facts needs to know of a volume's objects.
type notes struct {
	reported time.Time
	spaces   []string
	// building are the nodes on which its replicas are being written.
	building []string
	// served are its engines, with the nodes that they run on.
	served []hold
	// lost are those of its objects that name it though it is not there.
	lost []string
	// based are the images that it is layered upon, with its name.
	based []hold
}

// hold is something on a node, or on an image.
type hold struct{ on, what string }

// shared is what every volume's facts rest on.
type shared struct {
	settings          settingValues
	sharded, orphaned map[string]bool
	stray             int
	version           string
	nodes             map[string]nodeSays
}

// nodeSays is what of a node is said about the replicas on it.
type nodeSays struct {
	ready  cluster.Answer
	reason string
	disks  map[string]string // the reason of those that are not ready, by UUID
}

// forget drops what is kept of the volumes that have changed, and of all of
// them where nothing is known about that.
func (r *Reader) forget() {
	anew := false
	for _, changed := range []func() ([]string, bool){r.volumes.Changed, r.engines.Changed, r.replicas.Changed, r.attachments.Changed} {
		stems, known := changed()
		if !known {
			r.names, r.parts, anew = nil, nil, true
		}
		for _, s := range stems {
			i, was := slices.BinarySearch(r.names, s)
			if was {
				r.parts[i] = part{}
			}
			anew = anew || was != (r.volumes.Has(s) || r.engines.Has(s) || r.replicas.Has(s))
		}
	}
	if anew {
		r.rename()
	}
}

// rename lists the names anew. What is kept of those that stay is kept.
func (r *Reader) rename() {
	names := r.stems()
	parts := make([]part, len(names))
	for i, name := range names {
		if k, was := slices.BinarySearch(r.names, name); was {
			parts[i] = r.parts[k]
		}
	}
	r.names, r.parts = names, parts
}

// stems are the names of volumes, and of what names one, sorted, each once.
func (r *Reader) stems() []string {
	names := slices.AppendSeq(make([]string, 0, r.volumes.Len()), r.volumes.Stems())
	for s := range r.engines.Stems() {
		if !r.volumes.Has(s) {
			names = append(names, s)
		}
	}
	for s := range r.replicas.Stems() {
		if !r.volumes.Has(s) && !r.engines.Has(s) {
			names = append(names, s)
		}
	}
	slices.Sort(names)
	return names
}

// part returns what is kept of the volume, or an empty one that will not be.
func (j *join) part(i int) *part {
	if j.parts == nil {
		return &part{}
	}
	return &j.parts[i]
}

// share notes what all facts rest on. Where that is not what it was, no facts
// are of the present any more.
func (j *join) share(version string) {
	now := shared{
		settings: j.settings, sharded: j.sharded, orphaned: j.orphaned, stray: len(j.stray), version: version,
		nodes: make(map[string]nodeSays, len(j.byNode)),
	}
	for name, n := range j.byNode {
		s := nodeSays{disks: map[string]string{}}
		s.ready, s.reason = n.conditions.Of("Ready")
		for _, d := range n.disks {
			if d.Reported && d.Ready != yes {
				s.disks[d.UUID] = d.ReadyReason
			}
		}
		now.nodes[name] = s
	}
	if !reflect.DeepEqual(now, j.shared) {
		for i := range j.parts {
			j.parts[i].made = false
		}
	}
	j.shared = now
}

// facts are those of the volumes of a name: one, or in files several.
func (j *join) facts(i int) []cluster.Volume {
	p := j.part(i)
	if p.made && !p.open {
		return p.facts
	}
	p.facts, p.made, p.open = nil, true, false
	kin := p.kin
	if kin == nil {
		f := j.family(j.names[i])
		kin = &f
	}
	p.kin = nil
	for _, v := range kin.volumes {
		p.facts = append(p.facts, j.volume(v, *kin))
		p.open = p.open || lacks(v, *kin)
	}
	return p.facts
}

// note collects what the rest of the facts needs to know of a volume's objects.
func (j *join) note(name string, kin *family) notes {
	var n notes
	said := func(namespace string, at time.Time) {
		n.reported = later(n.reported, at)
		if !slices.Contains(n.spaces, namespace) {
			n.spaces = append(n.spaces, namespace)
		}
	}
	for _, v := range kin.volumes {
		said(v.Namespace, later(v.Reported, v.Created.time()))
		if v.BackingImage != "" {
			n.based = append(n.based, hold{v.BackingImage, "volume " + v.Name})
		}
	}
	for _, e := range kin.engines {
		n.reported = later(n.reported, e.Created.time())
		n.served = append(n.served, hold{e.NodeID, e.Name})
		if !j.known(name) && e.Deleted == nil {
			n.lost = append(n.lost, "engine "+e.Name)
		}
	}
	for _, r := range kin.replicas {
		said(r.Namespace, r.reported())
		if !j.known(name) && r.Deleted == nil {
			n.lost = append(n.lost, "replica "+r.Name)
		}
		if isNew(r) && r.Status.State == "running" {
			n.building = append(n.building, r.NodeID)
		}
	}
	return n
}

// noteAll gathers the notes of every volume.
func (j *join) noteAll() {
	bases := make(map[string]bool, len(j.backingImages))
	for _, b := range j.backingImages {
		bases[b.Name] = true
	}
	held := 0
	for i, name := range j.names {
		p := j.part(i)
		if !p.noted {
			kin := j.family(name)
			p.notes, p.noted = j.note(name, &kin), true
			if held < atHand {
				p.kin = &kin
				held++
			}
		}
		j.reported = later(j.reported, p.notes.reported)
		for _, s := range p.notes.spaces {
			j.spaces[s] = true
		}
		for _, node := range p.notes.building {
			j.building[node]++
		}
		for _, h := range p.notes.served {
			j.holds.add(h.on, h.what)
		}
		for _, from := range p.notes.lost {
			j.lost.add(name, from)
		}
		for _, h := range p.notes.based {
			if !bases[h.on] {
				j.unbased.add(h.on, h.what)
			}
		}
	}
}
