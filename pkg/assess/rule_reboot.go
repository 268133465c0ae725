// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// MayReboot answers whether the node, drained, may go down and come back with
// its disks. It is MayDelete without what only losing the disks asks for: every
// volume (a) keeps its Floor without the node, should it never come back; (c)
// nothing of it is served or held from there; (d) nothing is being rebuilt or
// otherwise changed. Files cannot answer.
func (j *Judgement) MayReboot(ref cluster.NodeRef) Permit {
	fs := sameNode(j.Snapshot.Node(ref.Name), ref)
	fs = append(fs, j.wideFindings()...)
	fs = append(fs, j.present()...)
	fs = append(fs, j.unseen()...)
	if blind(j.Snapshot) {
		return permit(fs)
	}
	for i := range j.Volumes {
		vj := &j.Volumes[i]
		fs = append(fs, j.keepsFloor(vj, ref.Name)...)
		if vj.Waived {
			continue
		}
		say := volumeVoice{vj: vj, namespace: j.namespaceOf(vj.Driver)}
		for _, f := range []*Finding{servedFrom(say, ref.Name), atRest(say)} {
			if f != nil {
				fs = append(fs, *f)
			}
		}
	}
	return permit(append(fs, j.stillHolding(ref)...))
}
