// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// join holds the indices that one joining needs.
type join struct {
	*Reader
	// names are the volumes', sorted, each once.
	names    []string
	volumes  narrow.Grouped[volume]
	engines  narrow.Grouped[engine]
	replicas narrow.Grouped[replica]
	tickets  narrow.Grouped[attachment]
	sharded  map[string]bool
	stray    []*shardGroup
	orphaned map[string]bool
	byNode   map[string]*node
	settings settingValues
	holds    nodeHolds
	building map[string]int
	spaces   map[string]bool
	lost     references // volumes that something belongs to and that were not read
	unbased  references // and images
	reported time.Time
	pacer    pacer
	// selfRebuild says how the volume can be rebuilt in its sleep; nil for none
	// of them.
	selfRebuild func(*volume) *cluster.Knob
}

// Storage joins what was put into facts. The result shares nothing with the
// reader that a later Put would change, and the same objects give the same
// facts in the same order.
func (r *Reader) Storage() (cluster.Storage, []cluster.Gap) {
	st, volumes, gaps := r.Join()
	st.Volumes = make([]cluster.Volume, 0, r.volumes.Len())
	for v := range volumes {
		st.Volumes = append(st.Volumes, v)
	}
	if len(st.Volumes) == 0 {
		st.Volumes = nil
	}
	return st, gaps
}

// Join is Storage without volumes, and a sequence that makes each of them when
// it is asked for; the next Put ends it.
func (r *Reader) Join() (cluster.Storage, iter.Seq[cluster.Volume], []cluster.Gap) {
	j := r.index()
	st := cluster.Storage{
		Driver:   Driver,
		Reporter: reporter,
		Settings: j.settings.decisive(),
		Nodes:    j.nodeFacts(),
		Bases:    j.bases(),
		Orphans:  j.orphanFacts(),
	}
	var gaps []cluster.Gap
	st.Namespace, gaps = j.namespace()
	gaps = append(append(gaps, j.lost.gaps(volumes, "volume")...), j.unbased.gaps(backingImages, "backing image")...)
	st.Version, st.Doubts = j.version()
	st.Doubts = append(st.Doubts, j.storageDoubts()...)
	st.Reported = j.reported
	j.addPace(&st)
	j.addKnobs(&st)
	return st, j.all(), gaps
}

// all makes the facts of every volume, sorted by name, then by UID: files may
// hold two of one name.
func (j *join) all() iter.Seq[cluster.Volume] {
	return func(yield func(cluster.Volume) bool) {
		for _, name := range j.names {
			vs := byName(j.volumes.Of(name), func(v *volume) string { return v.Name })
			f := j.family(name)
			for _, v := range vs {
				if !yield(j.volume(v, f)) {
					return
				}
			}
		}
	}
}

// family is what belongs to one volume.
type family struct {
	engines  []*engine
	replicas []*replica // sorted by name
	tickets  *attachment
}

func (j *join) family(volume string) family {
	f := family{
		engines:  j.engines.Of(volume),
		replicas: byName(j.replicas.Of(volume), func(r *replica) string { return r.Name }),
	}
	if all := byName(j.tickets.Of(volume), func(a *attachment) string { return a.Name }); len(all) > 0 {
		f.tickets = all[0]
	}
	return f
}

// current returns the volume's current engine: the only active one, or nil.
func (f family) current() *engine {
	var found *engine
	for _, e := range f.engines {
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

// known reports whether there is a volume of that name.
func (j *join) known(volume string) bool { return j.volumes.Count(volume) > 0 }

func (r *Reader) index() *join {
	j := &join{
		Reader:  r,
		volumes: r.volumes.Group(), engines: r.engines.Group(), replicas: r.replicas.Group(), tickets: r.attachments.Group(),
		sharded:  make(map[string]bool, len(r.shardGroups)),
		orphaned: make(map[string]bool, len(r.orphans)),
		byNode:   make(map[string]*node, len(r.nodes)),
		building: map[string]int{}, spaces: map[string]bool{}, holds: nodeHolds{},
		settings: settingsOf(r),
	}
	j.readVolumes()
	for e := range r.engines.All() {
		j.reported = later(j.reported, e.Created.time())
		j.holds.add(e.NodeID, e.Name)
		if !j.known(e.Volume) && e.Deleted == nil {
			j.lost.add(e.Volume, "engine "+e.Name)
		}
	}
	for x := range r.replicas.All() {
		j.reported = later(j.reported, x.reported())
		j.spaces[x.Namespace] = true
		if !j.known(x.Volume) && x.Deleted == nil {
			j.lost.add(x.Volume, "replica "+x.Name)
		}
		if isNew(x) && x.Status.State == "running" {
			j.building[x.NodeID]++
		}
	}
	for _, n := range r.nodes {
		j.reported = later(j.reported, n.reported())
		j.spaces[n.Namespace] = true
		j.byNode[n.Name] = n
	}
	for _, g := range r.shardGroups {
		j.sharded[g.volume] = true
	}
	j.stray = j.strayShards()
	return j
}

// readVolumes notes what of each volume is needed before it is made.
func (j *join) readVolumes() {
	bases := make(map[string]bool, len(j.backingImages))
	for _, b := range j.backingImages {
		bases[b.Name] = true
	}
	j.names = make([]string, 0, j.Reader.volumes.Len())
	for v := range j.Reader.volumes.All() {
		j.names = append(j.names, v.Name)
		j.reported = later(later(j.reported, v.Reported), v.Created.time())
		j.spaces[v.Namespace] = true
		if v.BackingImage != "" && !bases[v.BackingImage] {
			j.unbased.add(v.BackingImage, "volume "+v.Name)
		}
	}
	slices.Sort(j.names)
	j.names = slices.Compact(j.names)
}

// namespace returns where the objects are. There is one Longhorn in a
// cluster; objects of two cannot be told apart by their names.
func (j *join) namespace() (string, []cluster.Gap) {
	delete(j.spaces, "")
	names := sortedKeys(j.spaces)
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
	return byName(slices.Collect(maps.Values(m)), name)
}

// byName sorts the objects by name, then by UID.
func byName[T keyed](out []T, name func(T) string) []T {
	slices.SortFunc(out, func(a, b T) int {
		return cmp.Or(strings.Compare(name(a), name(b)), strings.Compare(string(a.key()), string(b.key())))
	})
	return out
}
