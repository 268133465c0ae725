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
)

// join holds the indices that one joining needs.
type join struct {
	*Reader
	// names are those of volumes, and of what names one, sorted, each once.
	names []string
	// parts are theirs, kept from one joining to the next; nil where they are not.
	parts    []part
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
// facts in the same order. Volumes of which nothing has changed since the last
// joining share their replicas with its result.
func (r *Reader) Storage() (cluster.Storage, []cluster.Gap) {
	r.forget()
	st, volumes, gaps := r.join(r.names, r.parts)
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
	return r.join(r.stems(), nil)
}

func (r *Reader) join(names []string, parts []part) (cluster.Storage, iter.Seq[cluster.Volume], []cluster.Gap) {
	j := r.index(names, parts)
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
	j.share(st.Version)
	return st, j.all(), gaps
}

// all makes the facts of every volume, sorted by name, then by UID: files may
// hold two of one name.
func (j *join) all() iter.Seq[cluster.Volume] {
	return func(yield func(cluster.Volume) bool) {
		for i := range j.names {
			for _, f := range j.facts(i) {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// family is what belongs to one volume.
type family struct {
	volumes  []*volume // one, or in files several
	engines  []*engine
	replicas []*replica // sorted by name
	tickets  *attachment
}

func (j *join) family(name string) family {
	f := family{
		volumes:  byName(j.volumes.Of(name), func(v *volume) string { return v.Name }),
		engines:  j.engines.Of(name),
		replicas: byName(j.replicas.Of(name), func(r *replica) string { return r.Name }),
	}
	if all := byName(j.attachments.Of(name), func(a *attachment) string { return a.Name }); len(all) > 0 {
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
func (j *join) known(volume string) bool { return j.volumes.Has(volume) }

func (r *Reader) index(names []string, parts []part) *join {
	j := &join{
		Reader: r, names: names, parts: parts,
		sharded:  make(map[string]bool, len(r.shardGroups)),
		orphaned: make(map[string]bool, len(r.orphans)),
		byNode:   make(map[string]*node, len(r.nodes)),
		building: map[string]int{}, spaces: map[string]bool{}, holds: nodeHolds{},
		settings: settingsOf(r),
	}
	for _, n := range r.nodes {
		j.reported = later(j.reported, n.reported)
		j.spaces[n.Namespace] = true
		j.byNode[n.Name] = n
	}
	for _, g := range r.shardGroups {
		j.sharded[g.volume] = true
	}
	j.noteAll()
	j.stray = j.strayShards()
	return j
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
