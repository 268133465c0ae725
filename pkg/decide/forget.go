// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// forget removes the storage's own object of the node that is gone, where it
// would outlive the machine and a replacement of the same name would take it up
// with the disks that went. It waits until nothing is on it any more.
func (t *tick) forget() Decision {
	if t.s.Node(t.node()) != nil {
		return nil // taken up already: join looks at its disks
	}
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		for k := range st.Nodes {
			sn := &st.Nodes[k]
			if sn.Name != t.node() || st.KeepsNodes == cluster.No {
				continue
			}
			if st.KeepsNodes == cluster.Unknown { // as long as its version cannot be read
				return t.letGo([]string{"whether its object for " + t.node() + " goes by itself cannot be told"},
					"make the storage's version readable, or remove its object for "+t.node()+" before a machine of that name joins")
			}
			if sn.Deleting { // a machine of that name that found it would not be made known
				return t.letGo([]string{"its object for " + t.node() + " is being deleted"}, "look at the finalizers of the storage's object for "+t.node())
			}
			if d := t.mayForget(sn); d != nil {
				return d
			}
			return t.act(Action{
				Verb: Forget, Driver: st.Driver, StorageNode: ObjectRef{sn.Name, sn.UID},
				Why: "the storage still keeps an object for " + t.node() + ", which a replacement of that name would take up with the old disks",
			})
		}
	}
	return nil
}

// replaceKeeps refuses one command for both where the storage's object of the
// node outlives the machine: a replacement of the same name would take it up.
func replaceKeeps(j *assess.Judgement, p policy.Policy, node string) []assess.Finding {
	if p.Accepts(CodeReplace, node) {
		return nil
	}
	for i := range j.Snapshot.Storages {
		if j.Snapshot.Storages[i].KeepsNodes == cluster.Yes {
			f := nodeFinding(CodeReplace, node,
				"the storage keeps its object for "+node+", and --replace-command leaves no moment to remove it before a machine of that name takes it up",
				cluster.Fact{Name: "storage.keepsNodes", Value: j.Snapshot.Storages[i].Driver + " " + j.Snapshot.Storages[i].Version})
			f.Risk = policy.Risk{Code: CodeReplace, Name: node}
			return []assess.Finding{f}
		}
	}
	return nil
}

// mayForget waits until the storage has noticed that the machine is gone and
// no replica object names it, and halts where the storage refuses.
func (t *tick) mayForget(sn *cluster.StorageNode) Decision {
	left := t.replicasOn(t.node())
	if sn.Ready != cluster.No {
		left = append(left, "its storage has not noticed yet that the machine is gone")
	}
	if len(left) > 0 {
		return t.letGo(left, "a replica that went with the node has no proven sibling, so its object is not removed: kubectl safe-roll verify shows every reason")
	}
	if last := t.m.Refused; last != nil && last.Verb == Forget && last.StorageNode.UID == sn.UID && t.m.Refusals >= forgetTries {
		return Halt{
			Exit:   ExitUnsafe,
			Reason: "the storage does not let go of " + t.node() + ": " + t.m.Refusal,
			Remedy: "remove its object for " + t.node() + " by hand before a machine of that name joins, then run the same command again",
		}
	}
	return nil
}

func (t *tick) letGo(left []string, stuck string) Decision {
	return Wait{
		For: "the storage to be done with " + t.node(), Left: left, Progress: hash(fmt.Sprint(left)),
		Limit: t.policy().SettleLimit, LimitName: "settle limit", Stuck: stuck,
	}
}

// forgetTries is how often a refusal is taken for one that may pass.
const forgetTries = 3
