// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// shrink compares the state with the one before. A list of a needed kind that
// lost more than half of its objects, or the last one, without anybody having
// been seen deleting them is not believed at once: the kind gets a Gap, and
// everything is read anew the next time, whoever asks. What is still so then is
// so. Where nothing was read before there is nothing to compare; that lists
// which belong together agree is for who judges.
func (st *state) shrink(before *state) {
	if before == nil {
		return
	}
	st.mu.Lock() // events come
	defer st.mu.Unlock()
	for _, s := range st.sources {
		was, is := before.counts[s.spelled()], st.counts[s.spelled()]
		_, read := st.counts[s.spelled()]
		if s.Need != plugin.Needed || !read || !halved(was, is) {
			continue
		}
		st.shrunk = true
		st.gaps = append(st.gaps, s.gap(cluster.GapTruncated,
			fmt.Sprintf("the look before saw %d of %s and this one sees %d, and nobody was seen deleting them: look again", was, s.spelled(), is)))
	}
}

// halved reports whether a list lost more than half, or all. Of three or fewer
// only all of them count: somebody deletes two of three at any time.
func halved(was, is int) bool { return is == 0 && was > 0 || was >= 4 && 2*is < was }
