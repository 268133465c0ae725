// SPDX-License-Identifier: Apache-2.0

// Package book keeps the journal of a roll in the cluster, and the lock that
// says who may write it. It implements record.Book twice: Book over the API
// server, InMemory for the simulator and for tests; package booktest holds
// both to the same claims.
//
// It may read and write one Lease and its own ConfigMaps. It must never judge
// what an event means, and never wait but for the short pauses between a few
// tries of one write.
//
// # What there is
//
// In one namespace (kube-system by default), all labelled
// app.kubernetes.io/name=kubectl-safe-roll and safe-roll.io/run:
//
//   - the Lease safe-roll: who holds the lock, by identity and by a token that
//     is new with every Acquire;
//   - the ConfigMap safe-roll, the head: run, epoch, the number of events, of
//     segments and of bytes that count, whose token wrote it, and one line of
//     what is being done, for status;
//   - the ConfigMaps safe-roll-RUN-N, the segments: JSON lines, each segment
//     saying at which byte of the whole it begins. Joined they are one stream,
//     of which the head says how much counts. A full segment is not written
//     again by whoever holds the journal.
//
// They stay when a roll is over, as its record; the next roll's start replaces
// the journal and deletes the old segments.
//
// # Two fences
//
// The lease is advice: the API server does not ask for it. It keeps people
// from starting twice, and bounds how long a dead process blocks the others.
// client-go's leader election judges expiry by when it saw the lease change
// last; a command that has just been started cannot, so it compares renewTime
// plus duration with its own clock, and leaves a margin for the difference of
// the clocks. Clocks further apart than the margin let two in; then the head
// decides.
//
// The head is the fence. Acquire raises its epoch by compare-and-swap on its
// resourceVersion, and every Append ends in such a swap. Whoever was there
// before has an old version: its swap fails, it reads another token, and stops
// with record.ErrFenced. So an intent that is written is one of the only
// writer's; a deed follows only if Guard says that the lease outlasts it.
//
// # Every point at which it can stop
//
// "Stops" is a kill, a lost answer, a suspended laptop or a take-over.
//
// Acquire:
//
//   - before the lease is written: nothing happened.
//   - after it, before the head: the lease runs out by itself. The writer
//     before may still write: the head is still its own, and its lease had run
//     out, so Guard and Append already refuse it unless it renews, which fails.
//   - between the two for so long that another has taken over: the head was
//     read before the lease was seen to be ours, so the other's raise makes the
//     swap fail, and the lease then says whose it is.
//   - after the head, before the journal is read: nobody else can add to it any
//     more; the next Acquire raises the epoch again.
//   - the answer to either write is lost: it is read again and known by its
//     token. A write that arrives later still finds a newer version, or else
//     leaves a lease that runs out.
//
// Append, in the order of its requests:
//
//   - before, between or after the segments, before the head: the head does
//     not point there. Readers cut the stream at the head's count; the next
//     writer writes the last segment anew from what counts, and takes over
//     segments behind it that nobody points to.
//   - a segment's answer is lost: the segment is read, then the head; if the
//     head is still ours, nobody had taken over when the segment was read, and
//     it is written at the version that was read. In the other order a new
//     writer could come in between, and what it wrote would be overwritten.
//   - a segment's write arrives late, after others: its version is old. It can
//     succeed only where the segment was not touched since, and there it adds
//     to the end; if a later segment counts by then, that one says where it
//     begins, and the addition is outside.
//   - a fenced writer writes a segment: the same. What counts keeps its place.
//   - the head's answer is lost: the head is read. It is as sent: done. It is
//     as before: sent again, the same bytes, so that it does not matter which
//     of the two arrives. Anything else: fenced.
//   - the head cannot be read either: Append fails, and the batch is in doubt.
//     The next Append reads the head. If the batch does not count, the head is
//     written once more unchanged but for a counter: after that the late one
//     has an old version. Without it, the late head could come to count bytes
//     of another batch.
//   - somebody else edits the head's labels or other keys: a conflict with the
//     same content; sent again with their change kept.
//   - the head is deleted: fenced. The next roll starts with an empty journal;
//     the segments stay until then.
//   - a segment that counts is deleted or edited by hand: the last one is
//     written again from memory; otherwise the journal is damaged, and Read and
//     Acquire say so. Deleting the ConfigMap safe-roll then starts afresh,
//     after a look at what the roll left cordoned or held.
//
// A new roll (Started) writes its first segments under its own name, then swaps
// the head, then deletes the old segments:
//
//   - before the head: the old journal counts; the new segments are nobody's
//     and are swept by the next roll.
//   - after it, before or among the deletions: the next Append tries again, and
//     the next Acquire's. Before each sweep the segments are listed and then the
//     head is read: if it is still ours, no segment on the list can be of a
//     writer who has taken over.
//
// Renew: a lost answer leaves our own idea of the lease at the older time;
// the next one reads it. A lease that ran out and was taken by nobody is
// renewed. Deleted, given back by hand or with another token: fenced.
//
// Release: a lost answer leaves the lease to run out, or has freed it.
//
// # Bounds
//
// A journal has at most MaxSegments of at most SegmentBytes. What does not fit is
// refused with record.ErrFull, and nothing of it is written. From the end:
//
//   - one segment in sixteen (at least one) is kept for what ends a roll or puts
//     something back: outcomes, halts, and what is written in the phase
//     decide.Undo.
//   - the quarter before is kept for what has begun: no turn is opened there, and
//     what only tells how things stand is not written there.
//
// A turn that fills even that must end all the same, or a node stays out and no
// command ends the roll. So whoever takes the lock has a quarter and the spare part
// beyond what there is, however much that is. The bound is there against what
// writes without end; that somebody has to begin anew each time is one too. No
// turn is opened there, so the next roll's journal begins small.
//
// Start reading at Book.Append, then segments.go and bounds.go.
package book
