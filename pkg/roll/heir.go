// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// heir is a Book that knows whose lock had run out when it was taken; empty for
// nobody's.
type heir interface{ Former() record.Holder }

// inherit says whose place was taken, and returns it for the journal; and says which
// deed was begun there, of which nobody knows how it ended. What came of it is told
// by the facts, which are read before anything is done.
func (r *runner) inherit() string {
	from := ""
	if b, ok := r.Book.(heir); ok {
		if h := b.Former(); h.Identity != "" {
			from = fmt.Sprintf("taken over from %s, whose lock ran out at %s", h.Identity, h.Expires.UTC().Format(time.RFC3339))
			r.Watch(Report{Kind: ReportNoted, Text: from})
		}
	}
	if a := r.mem.Open; a != nil {
		r.Watch(Report{Kind: ReportNoted, Text: "begun before, and nobody knows how it ended: " + a.Why})
	}
	return from
}

// unknown is the outcome of the deed that the process before began and did not
// end, if any; the facts will say what came of it.
func (r *runner) unknown() []record.Event {
	if r.mem.Open == nil {
		return nil
	}
	o := decide.Outcome{Result: decide.Uncertain, Detail: "the program ended before the outcome was known", Unseen: true}
	return []record.Event{{Kind: record.Done, Action: r.mem.Open, Outcome: &o}}
}

// ended is the word of whoever runs this that the command which a program before
// began has ended, where there is one.
func (r *runner) ended() []record.Event {
	t := r.mem.Current()
	open := r.mem.Open != nil && r.mem.Open.Verb == decide.RunCommand
	if !r.CommandEnded || t == nil || t.Astray == "" && !open {
		return nil
	}
	n := decide.Note{Kind: decide.CommandEnded, Node: t.Node, Says: "the command of the program before has ended, whoever runs this says"}
	return []record.Event{{Kind: record.Noted, Note: &n, Text: n.Says}}
}
