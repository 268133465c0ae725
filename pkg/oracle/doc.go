// SPDX-License-Identifier: Apache-2.0

// Package oracle judges what a roll did: from its journal, and where a world
// knows the truth, from that too.
//
// It may import cluster and record. It must never ask assess or decide: an
// oracle that asks the defendant is none. What they work out, such as the
// floor of a volume or which deeds are irreversible, it works out anew from
// the words of the journal.
//
// Check judges the invariants I1 to I10 of package roll as far as each can be
// judged, and says of the others that it did not, and why: silence is no
// acquittal.
//
// Start reading at Check, then journal.go for what a journal alone shows and
// witness.go for what needs the truth.
package oracle
