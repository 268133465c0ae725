// SPDX-License-Identifier: Apache-2.0

// Package decide says what to do now.
//
// Next is pure and total: from the plan, a judgement of fresh facts and what
// the facts cannot tell (Memory) it makes exactly one Decision. It may import
// cluster, policy, assess and forecast; it must never wait, print, read a
// clock or reach a cluster. Every step is chosen anew from facts, so that a
// program that was killed anywhere goes on by asking Next again.
//
// The design names four decisions; a fifth, Remember, carries what only memory
// can hold (a look that was taken, a proof that was seen) into the journal
// before anything rests on it. That keeps Next pure and the journal complete.
//
// Start reading at phase.go, the phases of a turn as one table, then next.go.
package decide
