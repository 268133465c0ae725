// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// A storage starts every replica that it believes to be whole when a volume is
// attached. One whose data are gone, or whose disk is not the one it was, then
// keeps the volume from ever being attached, or comes up blank and is read
// from. So a volume at rest with such a replica is not to be woken, by nobody.

// attachRule says which replicas make it dangerous to attach the volume.
func (say volumeVoice) attachRule() {
	names := say.blanks()
	if len(names) == 0 || say.vj.Condition == Lost { // of what is lost it has been said, more loudly
		return
	}
	say.add(VolumeUnsafeToAttach, Note,
		"%s must not be attached as it is: its storage would start what may have no data ("+joined(names)+"), which hangs or comes up blank.",
		few("replica", names)...)
	for i := range say.vj.Findings {
		if f := &say.vj.Findings[i]; f.Code == VolumeDegraded { // whose own remedy is to have it attached
			f.Advice = VolumeUnsafeToAttach
		}
	}
}

// blanks are the replicas that attaching the volume would start, and that may
// have no data; none where it is attached already.
func (say volumeVoice) blanks() []string {
	var names []string
	for i := range say.vj.Replicas {
		if rj := &say.vj.Replicas[i]; startsBlank(rj) && say.vj.Volume.State != cluster.Attached {
			names = append(names, rj.Replica.Name+" on "+nodeName(rj.Replica)+": "+say.because(rj))
		}
	}
	return names
}

// startsBlank reports whether the storage counts on the replica, on a node that
// is there, and its data may not be where it would start it.
func startsBlank(rj *ReplicaJudgement) bool {
	if rj.Replica.Claim != cluster.Idle || rj.Replica.Deleting {
		return false
	}
	switch rj.Code {
	case ReplicaNodeGone:
		return false // no node, no start
	case DiskNotReady, DiskOtherPath, DiskTwice, DiskNotDeclared, ProbeBlank, ProbeBroken, ProbeOtherDisk:
		return true
	}
	return rj.Here == cluster.StandingAbsent || rj.Here == cluster.StandingUnproven
}
