// SPDX-License-Identifier: Apache-2.0

// Package roll is the loop: observe, assess, decide, act, record. It is the
// only place that waits.
//
// It may import the pure rooms and record; the cluster is behind World, our
// own memory behind record.Book. It must never decide anything itself, and no
// deed happens whose intent is not in the journal, or that is decided by who has
// not seen what the deed before it has left.
//
// The invariants, numbered once and cited by number everywhere:
//
//	I1  at most one node is out by our hand, and none while another is out by
//	    someone else's
//	I2  no deed while any volume would fall below its Floor
//	I3  nothing Unknown is counted as Good; hiding a fact of a kind that was
//	    read can only turn Safe into Unsafe or Unknown
//	I4  intent before effect
//	I5  every mutation names a UID
//	I6  we undo only what we did, exactly
//	I7  every wait ends
//	I8  kill at any call, run again, same end
//	I9  a re-created node inherits no credit for old replicas without proof on
//	    the disk
//	I10 the same inputs give the same bytes out
//
// Start reading at Run.
package roll
