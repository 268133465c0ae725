// SPDX-License-Identifier: Apache-2.0

package sim

import "github.com/safe-roll/kubectl-safe-roll/pkg/record"

// Wrapped is the roll with every book of its processes wrapped.
func (r Roll) Wrapped(wrap func(record.Book) record.Book) Roll {
	r.wrap = wrap
	return r
}
