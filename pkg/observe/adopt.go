// SPDX-License-Identifier: Apache-2.0

package observe

import "strconv"

// mostMissed bounds the events that are kept while everything is read anew. With
// more of them, to begin the watches anew costs less.
const mostMissed = 2000

// missed is an event that came while everything was read anew.
type missed struct {
	source int
	event  event
	object watched
}

// gather keeps from now on the events that come, for the state that is to be read.
func (w *watches) gather() {
	if w == nil {
		return
	}
	w.feed.Lock()
	defer w.feed.Unlock()
	w.gathers, w.missed, w.from = true, nil, w.versions()
}

// forgo keeps no events any more: nothing was read.
func (w *watches) forgo() {
	if w == nil {
		return
	}
	w.feed.Lock()
	defer w.feed.Unlock()
	w.gathers, w.missed = false, nil
}

// adopt has the watches go on with the state that was read since they gather, and
// reports whether they can. Whatever a list does not have yet is in the events
// that came since before it was asked for; what it has is passed over from now on.
func (w *watches) adopt(st *state) bool {
	if w == nil {
		return false
	}
	w.feed.Lock()
	defer w.feed.Unlock()
	missed, all := w.missed, w.gathers
	w.gathers, w.missed = false, nil
	if !all || w.lost() || !w.watchesAll(st) || !st.follow(w.from) {
		return false
	}
	for _, m := range missed {
		if later, known := newer(m.object.Metadata.Version, st.versions[m.source]); !known {
			return false
		} else if later {
			if _, err := st.apply(st.sources[m.source], m.event, m.object); err != nil {
				return false
			}
		}
	}
	w.state = st
	w.take() // the state has it
	for i, version := range st.versions {
		if later, known := newer(version, w.version(i)); known && later {
			w.move(i, version)
		}
	}
	return true
}

// watchesAll reports whether the kinds that are watched are those that were read.
func (w *watches) watchesAll(st *state) bool {
	for i, s := range st.sources {
		if (w.version(i) != "") != (s.Decides && st.versions[i] != "") {
			return false
		}
	}
	return true
}

// follow reports whether the lists are known to be no older than what had been
// seen before they were asked for. Where versions are no numbers, an event that a
// list has cannot be told from a later one; and where a list is older, the server
// has gone back to a moment before, as after its data were restored.
func (st *state) follow(seen []string) bool {
	for i, version := range seen {
		if before, known := newer(version, st.versions[i]); version != "" && (before || !known) {
			return false
		}
	}
	return true
}

// newer compares two versions of objects of one kind, which are numbers that
// grow. known is false where they are not.
func newer(version, than string) (later, known bool) {
	v, bad := strconv.ParseUint(version, 10, 64)
	t, worse := strconv.ParseUint(than, 10, 64)
	return v > t, bad == nil && worse == nil
}
