// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// abreastLimit is how long the watches may take to catch up with a deed of ours.
// An event comes within milliseconds; what takes longer is read anew.
const abreastLimit = 2 * time.Second

// expected is what must be seen before what is cached is no older than our deeds.
type expected struct {
	marks []cluster.Mark
	// unknown counts the deeds that did not say what to look for, so that only a
	// reading shows them.
	unknown int
}

// met takes out what was expected before, and has been seen.
func (e *expected) met(before expected) {
	e.marks, e.unknown = e.marks[len(before.marks):], e.unknown-before.unknown
}

// Expect says that there was a deed of ours, which read and left the objects of
// the marks as they say: what is cached is not believed before the watches have
// seen them all. Without marks everything is read anew.
func (c *Cluster) Expect(marks []cluster.Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected.marks = append(c.expected.marks, marks...)
	if len(marks) == 0 {
		c.expected.unknown++
	}
}

// abreast waits, for a limited time, until the watches have caught up with our
// deeds, and reports whether they have. It begins them where a reading was the
// last thing that was done. Watches that do not show a deed in time may show
// nothing else either: they are lost, and begun anew after the reading.
func (c *Cluster) abreast(ctx context.Context) bool {
	w, marks, hopeless := c.pursue(ctx)
	if len(marks) == 0 || hopeless {
		return !hopeless
	}
	limit := time.NewTimer(abreastLimit)
	defer limit.Stop()
	for !w.show(marks) {
		select {
		case <-ctx.Done():
			return false
		case <-limit.C:
			w.note(func() { w.broken = true })
			return false
		case <-w.moved:
		}
		if w.lost() {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected.met(expected{marks: marks})
	return true
}

// pursue returns the watches and the marks that they are to reach, if any.
// hopeless: they never will.
func (c *Cluster) pursue(ctx context.Context) (w *watches, marks []cluster.Mark, hopeless bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.expected
	if len(e.marks) == 0 || c.closed {
		return nil, nil, e.unknown > 0
	}
	if e.unknown > 0 || c.state == nil || c.state.shrunk || c.age() >= c.relist() || !c.state.follows(e.marks) {
		return nil, nil, true
	}
	if c.watches == nil {
		c.watches = c.clients.follow(ctx, c.state)
	}
	return c.watches, slices.Clone(e.marks), c.watches.lost()
}

// follows reports whether the marks are such as watches can show. Of what is going
// no version is known: of pods it is seen by their identity.
func (st *state) follows(marks []cluster.Mark) bool {
	for _, m := range marks {
		i := st.source(m.Kind)
		if i < 0 || !st.sources[i].Decides || st.versions[i] == "" || m.Version == "" && !st.tellsGoing(i, m) {
			return false
		}
	}
	return true
}

func (st *state) source(kind string) int {
	return slices.IndexFunc(st.sources, func(s source) bool { return s.spelled() == kind })
}

func (st *state) tellsGoing(source int, m cluster.Mark) bool {
	return st.sources[source].storage < 0 && st.sources[source].Name == kindPod && m.UID != ""
}

// show reports whether everything that is marked was seen.
func (w *watches) show(marks []cluster.Mark) bool {
	for _, m := range marks {
		if m.Version == "" {
			if !w.state.going(m.UID) {
				return false
			}
		} else if !reached(w.version(w.state.source(m.Kind)), m.Version) {
			return false
		}
	}
	return true
}

// going reports whether the pod is on its way out, or gone.
func (st *state) going(uid cluster.UID) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	p := st.core.pods.Get(uid)
	return p == nil || p.Deleting
}

// reached reports whether a watch of a kind that is at one version has seen the
// other; of versions that cannot be compared only the same one is known to be.
func reached(at, version string) bool {
	before, known := newer(version, at)
	return known && !before || version == at
}

// move notes up to which version a source has been seen.
func (w *watches) move(source int, version string) {
	w.mu.Lock()
	w.at[source] = version
	w.mu.Unlock()
	stir(w.moved)
}

// versions are up to which each source has been seen.
func (w *watches) versions() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.at)
}

func (w *watches) version(source int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at[source]
}
