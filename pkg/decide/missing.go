// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A look into a directory sees that it is missing only until the volume is opened: the
// storage makes it anew then, blank, and its objects never tell. So it is written down
// before anything is decided, and whoever goes on with the roll knows it, however the
// program that looked has ended.

// The bounds of what one note keeps, how many of that it names to people, and how
// many a new roll takes over.
const (
	missingInNote  = 50
	missingNamed   = 3
	missingCarried = 500
)

// noteMissing writes down the directories that were found missing since.
func (t *tick) noteMissing() Decision {
	var found []cluster.Missing
	var names []string
	for _, st := range t.s.Storages {
		for i := range st.Volumes {
			v := &st.Volumes[i]
			for k := range v.Replicas {
				r := &v.Replicas[k]
				x, ok := r.Missing()
				if !ok || t.m.Missing[r.UID].Of(r) {
					continue
				}
				if len(found) == missingInNote { // the rest is next
					return missingNote(found, names)
				}
				found, names = append(found, x), append(names, fmt.Sprintf("%s of volume %s on node %s", r.Name, v.Name, r.Node))
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return missingNote(found, names)
}

func missingNote(found []cluster.Missing, names []string) Decision {
	says := "the directory of a replica is missing from its disk: "
	if len(found) > 1 {
		says = fmt.Sprintf("the directories of %d replicas are missing from their disks: ", len(found))
	}
	says += strings.Join(names[:min(len(names), missingNamed)], ", ")
	if more := len(names) - missingNamed; more > 0 {
		says += fmt.Sprintf(" and %d more", more)
	}
	return Remember{Phase: Verify, Note: Note{Kind: DirectoriesMissing, Missing: found, Says: says}}
}

// StillMissing are the notes by which a new roll knows what the one before knew of
// missing directories: the latest of them, up to a bound.
func (m *Memory) StillMissing() []Note {
	known := slices.SortedFunc(maps.Values(m.Missing), func(a, b cluster.Missing) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Replica, b.Replica))
	})
	var out []Note
	for part := range slices.Chunk(known[:min(len(known), missingCarried)], missingInNote) {
		says := fmt.Sprintf("the roll before found the directories of %d replicas missing", len(part))
		if len(part) == 1 {
			says = "the roll before found the directory of a replica missing"
		}
		out = append(out, Note{Kind: DirectoriesMissing, Missing: part, Says: says})
	}
	return out
}
