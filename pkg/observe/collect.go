// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"sort"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// collector takes objects from files and remembers which kinds were given.
type collector struct {
	storages []plugin.Storage
	sources  []source
	// byKind finds a source by group and kind.
	byKind  map[groupKind]int
	core    *core
	readers []plugin.Reader
	// given and cut say, per source, whether it was read and whether a list
	// of it was cut off; odd holds what else was wrong with it, in words.
	given, cut []bool
	odd        []map[string]cluster.GapReason
	// seen holds a hash of every object, to tell a repetition from another
	// moment's version of it.
	seed maphash.Seed
	seen map[string]uint64
}

type groupKind struct{ group, kind string }

func newCollector(storages []plugin.Storage) *collector {
	c := &collector{
		storages: storages, sources: sources(storages, ""), core: newCore(),
		byKind: map[groupKind]int{}, seed: maphash.MakeSeed(), seen: map[string]uint64{},
	}
	for i, s := range c.sources {
		c.byKind[groupKind{s.Group, s.Name}] = i
	}
	for _, st := range storages {
		c.readers = append(c.readers, st.NewReader())
	}
	c.given, c.cut = make([]bool, len(c.sources)), make([]bool, len(c.sources))
	c.odd = make([]map[string]cluster.GapReason, len(c.sources))
	return c
}

// header is what tells an object from another before it is decoded.
type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
		Version   string `json:"resourceVersion"`
	} `json:"metadata"`
}

// find returns the source of an apiVersion and kind, or -1 where it is not
// one that is read. A known kind in another version is noted: its objects were
// given and not read, which is worse than none given.
func (c *collector) find(apiVersion, kind string) int {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	i, ok := c.byKind[groupKind{group, kind}]
	if !ok {
		return -1
	}
	if version != c.sources[i].Version {
		c.note(i, cluster.GapFailed, fmt.Sprintf("objects were given in version %s, which is not understood; ask for %s", apiVersion, c.sources[i].Version))
		return -1
	}
	return i
}

// note remembers something wrong with a kind; it becomes a Gap.
func (c *collector) note(i int, reason cluster.GapReason, what string) {
	if c.odd[i] == nil {
		c.odd[i] = map[string]cluster.GapReason{}
	}
	c.odd[i][what] = reason
}

// put keeps one object and returns its source. Lists of one kind may leave out
// the kind of their items: then it is given.
func (c *collector) put(item []byte, apiVersion, kind string) (int, error) {
	var h header
	if err := json.Unmarshal(item, &h); err != nil {
		return -1, err
	}
	if h.Kind == "" {
		h.APIVersion, h.Kind = apiVersion, kind
	}
	if h.Kind == "" || h.APIVersion == "" {
		return -1, errors.New("it is no object of Kubernetes: it has no kind or no apiVersion")
	}
	if kind != "" && h.Kind != kind {
		return -1, fmt.Errorf("it is a %s in a list of %s", h.Kind, kind)
	}
	if kind != "" && apiVersion != "" && h.APIVersion != apiVersion {
		return -1, fmt.Errorf("it is a %s of %s in a list of those of %s", h.Kind, h.APIVersion, apiVersion)
	}
	i := c.find(h.APIVersion, h.Kind)
	if i < 0 {
		return -1, nil
	}
	s := c.sources[i]
	name := s.spelled() + " " + h.Metadata.Namespace + "/" + h.Metadata.Name
	sum := maphash.Bytes(c.seed, item)
	if h.Metadata.Version != "" { // the same version, however it is spelled
		sum = maphash.String(c.seed, h.Metadata.UID+" "+h.Metadata.Version)
	}
	if old, ok := c.seen[name]; ok {
		if old != sum {
			c.note(i, cluster.GapMixed, fmt.Sprintf("the input holds %s more than once, and differently: it mixes several moments", strings.TrimPrefix(name, s.spelled()+" ")))
		}
		return i, nil
	}
	c.seen[name] = sum
	if s.storage < 0 {
		return i, c.core.Put(s.Kind, item)
	}
	return i, c.readers[s.storage].Put(s.Kind, item)
}

// snapshot joins what was collected.
func (c *collector) snapshot() *cluster.Snapshot {
	s := &cluster.Snapshot{Revision: 1, Source: cluster.SourceFiles}
	for i, src := range c.sources {
		switch {
		case c.cut[i]:
			s.Gaps = append(s.Gaps, src.gap(cluster.GapTruncated, "a list of "+src.spelled()+" in the input goes on elsewhere (it was cut off by a limit)"))
		case !c.given[i] && c.odd[i] == nil:
			s.Gaps = append(s.Gaps, src.gap(cluster.GapNotGiven, "the input holds no list of "+src.spelled()))
		}
		for _, what := range sortedWords(c.odd[i]) {
			s.Gaps = append(s.Gaps, src.gap(c.odd[i][what], src.spelled()+": "+what))
		}
		if src.Name == kindDaemonSet && src.storage < 0 {
			c.core.daemonsRead = c.given[i] && !c.cut[i]
		}
	}
	c.core.join(s)
	for _, r := range c.readers {
		st, gaps := r.Storage()
		s.Storages = append(s.Storages, st)
		s.Gaps = append(s.Gaps, gaps...)
	}
	return s
}

// sortedWords returns the words in order, the first ten of them.
func sortedWords(words map[string]cluster.GapReason) []string {
	const most = 10
	out := make([]string, 0, len(words))
	for w := range words {
		out = append(out, w)
	}
	sort.Strings(out)
	return out[:min(len(out), most)]
}
