// SPDX-License-Identifier: Apache-2.0

package book

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// tail is the end of a journal: its last segment. The journal is one stream of
// lines; segments cut it into pieces that fit into an object.
type tail struct {
	n    int    // the segment's number, from 1; 0 for none yet
	from int    // where in the stream it begins, in bytes
	text string // what of it counts
}

// page is a segment to be written: its whole content.
type page struct {
	n    int
	from int
	text string
}

// add returns the tail after the lines, and the segments that change. A line
// goes whole into a segment if it fits into an empty one, else it is cut
// between characters: a ConfigMap holds valid UTF-8 alone.
func (t tail) add(lines []string, size int) (tail, []page) {
	var pages []page
	cur, dirty := t, false
	if cur.n == 0 {
		cur.n = 1
	}
	turn := func() {
		if dirty {
			pages = append(pages, page(cur))
		}
		cur, dirty = tail{n: cur.n + 1, from: cur.from + len(cur.text)}, false
	}
	for _, l := range lines {
		if len(cur.text)+len(l) > size && cur.text != "" {
			turn()
		}
		for len(l) > size {
			cut := size
			for !utf8.RuneStart(l[cut]) {
				cut--
			}
			cur.text, dirty, l = l[:cut], true, l[cut:]
			turn()
		}
		cur.text, dirty = cur.text+l, true
	}
	if dirty {
		pages = append(pages, page(cur))
	}
	return cur, pages
}

// end is where the stream ends, in bytes.
func (t tail) end() int { return t.from + len(t.text) }

// encode gives the events their run, epoch and place, and writes each on a
// line. The caller's events stay as they are.
func encode(events []record.Event, run string, epoch, after int64) ([]string, error) {
	lines := make([]string, 0, len(events))
	for i, e := range events {
		e.Run, e.Epoch, e.Seq = run, epoch, after+int64(i)+1
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode event %d: %w", e.Seq, err)
		}
		lines = append(lines, string(b)+"\n")
	}
	return lines, nil
}

// decode reads a stream and checks that it is the journal of that run, whole,
// in order, and ends where it should.
func decode(stream []byte, run string, seq int64) ([]record.Event, error) {
	var events []record.Event
	for len(stream) > 0 {
		line, rest, whole := bytes.Cut(stream, []byte("\n"))
		if !whole {
			return nil, fmt.Errorf("the line after event %d is cut off", len(events))
		}
		var e record.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("the line after event %d: %w", len(events), err)
		}
		if e.Run != run || e.Seq != int64(len(events))+1 {
			return nil, fmt.Errorf("event %d of run %q stands where event %d of run %q should", e.Seq, e.Run, len(events)+1, run)
		}
		events = append(events, e)
		stream = rest
	}
	if int64(len(events)) != seq {
		return nil, fmt.Errorf("it ends at event %d and not at %d", len(events), seq)
	}
	return events, nil
}

// runOf returns the run that a batch begins, or "" if it goes on with one.
func runOf(events []record.Event) (string, error) {
	for _, e := range events[1:] {
		if e.Kind == record.Started {
			return "", errors.New("a started event must be the first of its batch")
		}
	}
	if events[0].Kind != record.Started {
		return "", nil
	}
	run := events[0].Run
	if run == "" && events[0].Plan != nil {
		run = events[0].Plan.Run
	}
	return run, validRun(run)
}

// validRun: a run is part of the names of ConfigMaps and a label's value.
func validRun(run string) error {
	ok := run != "" && len(run) <= 50 && run[0] != '-' && run[len(run)-1] != '-'
	for _, c := range []byte(run) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fmt.Errorf("the run's name %q must be 1 to 50 small letters, digits and dashes", run)
	}
	return nil
}
