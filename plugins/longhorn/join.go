// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"sort"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// join holds the indices that one joining needs.
type join struct {
	*Reader
	engines  map[string][]*engine
	replicas map[string][]*replica
	tickets  map[string]*attachment
	sharded  map[string]bool
	stray    []*shardGroup
	orphaned map[string]bool
	byNode   map[string]*node
	settings settingValues
	reported time.Time
}

// Storage joins what was put into facts. The result shares nothing with the
// reader that a later Put would change, and the same objects give the same
// facts in the same order.
func (r *Reader) Storage() (cluster.Storage, []cluster.Gap) {
	j := r.index()
	st := cluster.Storage{
		Driver:   Driver,
		Reporter: reporter,
		Settings: j.settings.decisive(),
		Nodes:    j.nodeFacts(),
		Bases:    j.bases(),
		Orphans:  j.orphanFacts(),
	}
	for _, v := range sortedBy(r.volumes, func(v *volume) string { return v.Name }) {
		st.Volumes = append(st.Volumes, j.volume(v))
	}
	var gaps []cluster.Gap
	st.Namespace, gaps = j.namespace()
	gaps = append(gaps, j.dangling()...)
	st.Version, st.Doubts = j.version()
	st.Doubts = append(st.Doubts, j.storageDoubts()...)
	st.Reported = j.reported
	j.addPace(&st)
	j.addKnobs(&st)
	return st, gaps
}

func (r *Reader) index() *join {
	j := &join{
		Reader:   r,
		engines:  make(map[string][]*engine, len(r.volumes)),
		replicas: make(map[string][]*replica, len(r.volumes)),
		tickets:  make(map[string]*attachment, len(r.attachments)),
		sharded:  make(map[string]bool, len(r.shardGroups)),
		orphaned: make(map[string]bool, len(r.orphans)),
		byNode:   make(map[string]*node, len(r.nodes)),
		settings: settingsOf(r),
	}
	for _, e := range r.engines {
		j.engines[e.Volume] = append(j.engines[e.Volume], e)
		j.reported = later(j.reported, e.Created.time())
	}
	for _, x := range r.replicas {
		j.replicas[x.Volume] = append(j.replicas[x.Volume], x)
		j.reported = later(j.reported, x.reported())
	}
	for _, v := range r.volumes {
		j.reported = later(later(j.reported, v.reported), v.Created.time())
	}
	for _, n := range r.nodes {
		j.reported = later(j.reported, n.reported())
		j.byNode[n.Name] = n
	}
	for _, a := range r.attachments {
		j.tickets[a.Volume] = a
	}
	for _, g := range r.shardGroups {
		j.sharded[g.volume] = true
	}
	j.stray = j.strayShards()
	return j
}

// current returns the volume's current engine: the only active one, or nil.
func (j *join) current(volume string) *engine {
	var found *engine
	for _, e := range j.engines[volume] {
		if !e.Active || e.Deleted != nil {
			continue
		}
		if found != nil {
			return nil
		}
		found = e
	}
	return found
}

// namespace returns where the objects are. There is one Longhorn in a
// cluster; objects of two cannot be told apart by their names.
func (j *join) namespace() (string, []cluster.Gap) {
	seen := map[string]bool{}
	for _, v := range j.volumes {
		seen[v.Namespace] = true
	}
	for _, n := range j.nodes {
		seen[n.Namespace] = true
	}
	for _, r := range j.Reader.replicas {
		seen[r.Namespace] = true
	}
	delete(seen, "")
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	switch len(names) {
	case 0:
		return Namespace, nil
	case 1:
		return names[0], nil
	default:
		return names[0], []cluster.Gap{{
			Kind: spelled(volumes), Reason: cluster.GapUnknown, Needed: true,
			Detail: "Longhorn's objects were found in several namespaces (" + strings.Join(names, ", ") +
				"), which cannot be told apart; name the one that counts",
		}}
	}
}

// dangling returns a Gap for every volume, engine and image that something
// refers to and that was not read.
func (j *join) dangling() []cluster.Gap {
	known := make(map[string]bool, len(j.volumes))
	bases := make(map[string]bool, len(j.backingImages))
	for _, v := range j.volumes {
		known[v.Name] = true
	}
	for _, b := range j.backingImages {
		bases[b.Name] = true
	}
	var lost, unbased references
	for _, e := range j.Reader.engines {
		if !known[e.Volume] && e.Deleted == nil {
			lost.add(e.Volume, "engine "+e.Name)
		}
	}
	for _, r := range j.Reader.replicas {
		if !known[r.Volume] && r.Deleted == nil {
			lost.add(r.Volume, "replica "+r.Name)
		}
	}
	for _, v := range j.volumes {
		if v.BackingImage != "" && !bases[v.BackingImage] {
			unbased.add(v.BackingImage, "volume "+v.Name)
		}
	}
	return append(lost.gaps(volumes, "volume"), unbased.gaps(backingImages, "backing image")...)
}

// references maps the name of something that was not read to what refers to it.
type references map[string][]string

func (r *references) add(name, from string) {
	if *r == nil {
		*r = references{}
	}
	(*r)[name] = append((*r)[name], from)
}

// gaps returns one Gap for each missing object; from the twentieth on, one for
// the rest.
func (r references) gaps(resource, word string) []cluster.Gap {
	const most = 20
	names := make([]string, 0, len(r))
	for n := range r {
		names = append(names, n)
	}
	sort.Strings(names)
	var out []cluster.Gap
	for i, n := range names {
		g := cluster.Gap{Kind: spelled(resource), Reason: cluster.GapUnknown, Needed: true}
		if i == most {
			g.Detail = "more such references, to " + strings.Join(names[i:min(len(names), i+most)], ", ")
			if len(names) > i+most {
				g.Detail += " and others"
			}
			return append(out, g)
		}
		from := r[n]
		sort.Strings(from)
		if len(from) > 4 {
			from = append(from[:4:4], "others")
		}
		g.Detail = strings.Join(from, ", ") + ": names the " + word + " " + n + ", which is not among the objects that were read"
		out = append(out, g)
	}
	return out
}

// sortedBy returns the values ordered by name, then by UID: files may hold two
// objects of one name.
func sortedBy[T keyed](m map[cluster.UID]T, name func(T) string) []T {
	out := make([]T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	sort.Slice(out, func(i, k int) bool {
		if a, b := name(out[i]), name(out[k]); a != b {
			return a < b
		}
		return out[i].key() < out[k].key()
	})
	return out
}
