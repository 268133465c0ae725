// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// MayReboot answers whether the node, drained, may go down and come back with
// its disks. It is MayDelete without what only losing the disks asks for: every
// volume (a) keeps its Floor without the node; (c) nothing of it is served or
// held from there; (d) nothing is being rebuilt or otherwise changed; and the
// image that it is layered upon can be read without the node. Should the
// disks never come back, the Floor is what is left. It may rest on copies that
// nobody has read, for to read them without the node would mark those on the
// node as failed; who does not trust them has them probed before. Files cannot
// answer.
func (j *Judgement) MayReboot(ref cluster.NodeRef) Permit {
	fs, _ := j.goesDown(ref, Turn{}, servedFrom, atRest, j.layered())
	return permit(fs)
}
