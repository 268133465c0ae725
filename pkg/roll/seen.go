// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// seenEvery is the least time between two events that only tell how the
// volumes stand. It bounds the journal; a dip in between is not lost, because
// every summary carries the lowest count since the one before.
const seenEvery = 15 * time.Second

// The bounds of what one event keeps of lists that may be long.
const (
	keptFindings = 50
	keptLeft     = 5
)

// few is the first of what a wait misses.
func few(left []string) []string { return left[:min(len(left), keptLeft)] }

// sight is what the journal was told of how the volumes stand, and what it
// was not told yet.
type sight struct {
	now  record.Seen
	told record.Seen
	at   time.Time
	// lowest is the lowest count of each class that the journal was not told.
	lowest map[class]int
}

// class names a record.Class.
type class struct {
	want     int
	attached bool
}

func classOf(c record.Class) class { return class{c.Want, c.Attached} }

// see takes in a look.
func (s *sight) see(j *assess.Judgement) {
	if s.lowest == nil {
		s.lowest = map[class]int{}
	}
	before := s.now.Unjudged
	s.now = summary(j)
	s.now.Unjudged = max(s.now.Unjudged, before)
	for i := range s.now.Classes {
		c := &s.now.Classes[i]
		if low, ok := s.lowest[classOf(*c)]; ok {
			c.Lowest = min(c.Lowest, low)
		}
		s.lowest[classOf(*c)] = c.Lowest
	}
}

// news is the summary that the next event carries; nil where it is known.
func (s *sight) news() *record.Seen {
	if s.now.Equal(s.told) {
		return nil
	}
	n := s.now
	n.Classes = slices.Clone(n.Classes)
	return &n
}

// tell notes that the journal has it: a new stretch of time begins, in which
// the lowest count is the one of now.
func (s *sight) tell(at time.Time) {
	for i := range s.now.Classes {
		c := &s.now.Classes[i]
		c.Lowest = c.Least
		s.lowest[classOf(*c)] = c.Least
	}
	s.now.Unjudged = 0
	s.told, s.at = s.now, at
	s.told.Classes = slices.Clone(s.now.Classes)
}

// looked writes an event of its own for what has changed, when none was
// written for long.
func (r *runner) looked(ctx context.Context, j *assess.Judgement) error {
	r.sight.see(j)
	if r.sight.news() == nil || time.Since(r.sight.at) < seenEvery {
		return nil
	}
	return r.tell(ctx, record.Event{Kind: record.Looked, Phase: r.phase})
}

// summary counts the volumes by class.
func summary(j *assess.Judgement) record.Seen {
	var out record.Seen
	for i := range j.Snapshot.Storages {
		st := &j.Snapshot.Storages[i]
		out.Storages = append(out.Storages, st.Driver+" "+cmp.Or(st.Version, "of unknown version"))
	}
	for i := range j.Volumes {
		v := &j.Volumes[i]
		if v.Condition == assess.Unused || v.Condition == assess.Going {
			continue
		}
		if v.Condition == assess.Busy || v.Condition == assess.ConditionUnknown {
			out.Unjudged++
			continue
		}
		n := v.Good + v.Leaving
		c := record.Class{
			Want: v.Volume.Want, Attached: v.Volume.State == cluster.Attached,
			Volumes: 1, Least: n, Lowest: n, Might: n + v.Doubtful,
		}
		if v.Condition == assess.Whole || n >= c.Want {
			c.Whole = 1
		}
		out.Classes = addClass(out.Classes, c)
	}
	slices.SortFunc(out.Classes, func(a, b record.Class) int {
		if a.Want == b.Want && a.Attached != b.Attached {
			if a.Attached {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Want, b.Want)
	})
	return out
}

func addClass(all []record.Class, c record.Class) []record.Class {
	for i := range all {
		if a := &all[i]; a.Same(c) {
			a.Volumes, a.Whole = a.Volumes+c.Volumes, a.Whole+c.Whole
			a.Least, a.Lowest, a.Might = min(a.Least, c.Least), min(a.Lowest, c.Lowest), min(a.Might, c.Might)
			return all
		}
	}
	return append(all, c)
}

// kept turns findings into what the journal keeps of them: the first ones,
// which are the worst.
func (r *runner) kept(fs []assess.Finding) []record.Finding {
	var out []record.Finding
	for _, f := range fs[:min(len(fs), keptFindings)] {
		k := record.Finding{Code: f.Code, Severity: f.Severity.String(), Subject: f.Subject, Message: f.Message, Evidence: f.Evidence}
		if r.Advise != nil {
			k.Remedy, k.Accept = r.Advise(f)
		}
		out = append(out, k)
	}
	return out
}

// by is who rolls; nil where nobody said.
func (r *runner) by() *record.Author {
	if r.By == (record.Author{}) {
		return nil
	}
	return &r.By
}
