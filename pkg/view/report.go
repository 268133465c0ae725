// SPDX-License-Identifier: Apache-2.0

package view

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Report turns a journal into what is told of it afterwards. Its verdicts were
// all reached by the roll itself, or by the check.
type Report struct {
	History record.History
	Holder  record.Holder
	Now     time.Time
	// Check is nil unless it was asked for.
	Check *v1alpha1.Check
	// Catalogue advises where the journal of an earlier version does not.
	Catalogue Catalogue
}

// Object returns it as the public type. The journal must not be empty.
func (r Report) Object() v1alpha1.Report {
	events := r.History.Events
	s := Status{History: r.History, Holder: r.Holder, Now: r.Now}.Object()
	plan, _ := record.Replay(r.History)
	out := v1alpha1.Report{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindReport,
		Run: s.Run, Goal: s.Goal, State: s.State, Exit: s.Exit, Says: s.Says,
		Begun: stamp(events[0].At), Ended: stamp(events[len(events)-1].At),
		Authors: authors(events), Storages: storages(events), AcceptedRisks: risks(plan),
		Turns: reportTurns(s.Turns), Spans: spans(events), Waits: waits(events), Deeds: deeds(events),
		Redundancy: redundancy(plan, events), Findings: []v1alpha1.Finding{}, Check: r.Check,
	}
	for _, e := range events {
		if e.Seen != nil {
			out.Unjudged = max(out.Unjudged, e.Seen.Unjudged)
		}
	}
	for i := len(events) - 1; i >= 0 && out.State == stateHalted; i-- {
		if e := events[i]; e.Kind == record.Halted {
			out.Findings, out.Remedy = r.journalled(e.Findings), e.Remedy
			break
		}
	}
	return out
}

func authors(events []record.Event) []v1alpha1.Author {
	out := []v1alpha1.Author{}
	for _, e := range events {
		switch e.Kind {
		case record.Started, record.Resumed, record.Replanned:
			a := v1alpha1.Author{At: e.At.UTC(), Did: string(e.Kind)}
			if e.By != nil {
				a.Who, a.Program, a.Server = e.By.Who, e.By.Program, e.By.Server
			}
			out = append(out, a)
		default:
		}
	}
	return out
}

func storages(events []record.Event) []string {
	out := []string{}
	for _, e := range events {
		if e.Seen == nil {
			continue
		}
		for _, s := range e.Seen.Storages {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

func risks(p decide.Plan) []string {
	out := []string{}
	for _, r := range p.Policy.Accepted {
		if r.Name != "" {
			r.Code += ":" + r.Name
		}
		out = append(out, r.Code)
	}
	return out
}

func reportTurns(turns []v1alpha1.Turn) []v1alpha1.ReportTurn {
	out := make([]v1alpha1.ReportTurn, 0, len(turns))
	for _, t := range turns {
		rt := v1alpha1.ReportTurn{Turn: t}
		if t.OpenedAt != nil && t.ClosedAt != nil {
			rt.Seconds = seconds(*t.OpenedAt, *t.ClosedAt)
		}
		out = append(out, rt)
	}
	return out
}

// seconds between two times, to the millisecond; another clock may be ahead.
func seconds(from, to time.Time) float64 {
	return max(to.Sub(from), 0).Round(time.Millisecond).Seconds()
}

func (r Report) journalled(fs []record.Finding) []v1alpha1.Finding {
	out := make([]v1alpha1.Finding, 0, len(fs))
	for _, f := range fs {
		out = append(out, v1alpha1.Finding{
			Code: f.Code, Severity: f.Severity, Message: f.Message, Evidence: facts(f.Evidence),
			Subject: v1alpha1.Subject{Kind: f.Subject.Kind, Namespace: f.Subject.Namespace, Name: f.Subject.Name},
			Remedy:  or(f.Remedy, r.Catalogue[f.Code].Remedy), Accept: f.Accept,
		})
	}
	return out
}

// redundancy collects the summaries of the looks by class.
func redundancy(p decide.Plan, events []record.Event) []v1alpha1.ClassHistory {
	out := []v1alpha1.ClassHistory{}
	for _, e := range events {
		if e.Seen == nil {
			continue
		}
		for i := range out { // a class that has no volumes any more
			h := &out[i]
			same := func(c record.Class) bool { return h.Want == c.Want && h.Attached == c.Attached }
			if !slices.ContainsFunc(e.Seen.Classes, same) && h.Points[len(h.Points)-1].Volumes > 0 {
				h.Points = append(h.Points, v1alpha1.Point{At: e.At.UTC()})
			}
		}
		for _, c := range e.Seen.Classes {
			i := slices.IndexFunc(out, func(h v1alpha1.ClassHistory) bool { return h.Want == c.Want && h.Attached == c.Attached })
			if i < 0 {
				i = len(out)
				out = append(out, v1alpha1.ClassHistory{
					Want: c.Want, Attached: c.Attached, Floor: p.Policy.Floor(c.Want, 1), Lowest: c.Lowest,
				})
			}
			h := &out[i]
			h.Lowest = min(h.Lowest, c.Lowest)
			h.Points = append(h.Points, v1alpha1.Point{
				At: e.At.UTC(), Volumes: c.Volumes, Whole: c.Whole, Least: c.Least, Might: c.Might, Lowest: c.Lowest,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.ClassHistory) int {
		if a.Attached != b.Attached {
			if a.Attached {
				return 1 // what nobody uses is what was lost: it comes first
			}
			return -1
		}
		return b.Want - a.Want
	})
	return out
}
