// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"fmt"
	"time"

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
