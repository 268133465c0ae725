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
// Three decisions that are not obvious. A sleeping volume is never opened with a
// replica that might start without its data, and one whose machine is gone for
// Kubernetes and the storage alike is none of those: the storage marks it as
// failed when it opens the volume, which is how phantoms of machines with
// another name are healed. A replica's object is pruned only where its machine
// is gone, or a look into the directories of the machine that bears its name
// has shown that nothing is left; that its disk is another one is not enough.
// And a wait has parts, one for each volume, each of which must get on by a
// token that was never seen before in this wait: so a busy volume does not hide
// a stuck one, and what is begun again and again is not taken for progress.
//
// Start reading at phase.go, the phases of a turn as one table, then next.go;
// reboot.go is the same for a machine that comes back with its disks.
package decide
