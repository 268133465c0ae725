// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Disruption is a pod that a turn moves, and who will notice.
type Disruption struct {
	Pod cluster.PodRef
	// Owner is kind/name of what runs it, empty for nobody.
	Owner string
	// Only: it is the only pod of its owner, so the service is down meanwhile.
	Only bool
	// EmptyDir and HostPath: what it keeps on the node stays behind.
	EmptyDir, HostPath bool
	// Nowhere says why it fits on no other node; empty if it does.
	Nowhere string
}

// disrupted are the pods that go, those that somebody will notice.
func (d *draft) disrupted(ref cluster.NodeRef, set assess.DrainSet) []Disruption {
	siblings := map[string]int{}
	for i := range d.j.Snapshot.Pods {
		if p := &d.j.Snapshot.Pods[i]; !p.Finished && !p.Deleting {
			siblings[p.Ref.Namespace+" "+p.OwnerName]++
		}
	}
	nowhere := forecast.Pods(d.j.Snapshot, ref.Name)
	var out []Disruption
	for i := range set.Go {
		p := &set.Go[i]
		if p.Finished {
			continue
		}
		x := Disruption{
			Pod: p.Ref, Owner: owner(p), Only: p.OwnerName != "" && siblings[p.Ref.Namespace+" "+p.OwnerName] == 1,
			EmptyDir: p.EmptyDir, HostPath: p.HostPath, Nowhere: nowhere[p.Ref.UID],
		}
		if x.Nowhere != "" {
			d.p.Notes = append(d.p.Notes, assess.Finding{
				Code: CodePodNowhere, Severity: assess.Note,
				Subject: assess.Subject{Kind: "Pod", Namespace: p.Ref.Namespace, Name: p.Ref.Name},
				Message: sentence("pod %s/%s waits until the replacement of %s has joined: %s", p.Ref.Namespace, p.Ref.Name, ref.Name, x.Nowhere),
			})
		}
		out = append(out, x)
	}
	return out
}

// owner names what runs the pod: of a Deployment's ReplicaSet, the Deployment.
// The hash at the end of the ReplicaSet's name is a label of the pod.
func owner(p *cluster.Pod) string {
	set, ok := strings.CutPrefix(p.OwnerName, "ReplicaSet/")
	hash := p.Labels["pod-template-hash"]
	if name, cut := strings.CutSuffix(set, "-"+hash); ok && cut && hash != "" {
		return "Deployment/" + name
	}
	return p.OwnerName
}

// dies refuses to take what lies on the node and nowhere else, unless it was
// accepted by name.
func (d *draft) dies(ref cluster.NodeRef) []assess.Finding {
	if d.j.Snapshot.NodeByUID(ref.UID) == nil {
		return nil
	}
	return slices.DeleteFunc(worst(d.j.MayDelete(ref, assess.Turn{}).Findings), func(f assess.Finding) bool {
		return f.Code != assess.PVBoundToNode
	})
}

// asleep counts the detached volumes with a replica on the node.
func (d *draft) asleep(node string) int {
	n := 0
	for i := range d.j.Volumes {
		v := d.j.Volumes[i].Volume
		if v.State == cluster.Detached && slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool { return r.Node == node }) {
			n++
		}
	}
	return n
}

// wakes notes that detached volumes will be attached.
func (d *draft) wakes(t PlannedTurn, f TurnForecast) {
	if f.Asleep == 0 {
		return
	}
	who, how := "safe-roll", fmt.Sprintf("at most %d at a time, to prove and rebuild what is there", d.req.Policy.MaxWoken)
	switch t.Strategy {
	case policy.Evict:
		who, how = "the storage", "all at once, while replicas move"
	case policy.Stay:
		how = fmt.Sprintf("at most %d at a time, to see the data after the reboot", d.req.Policy.MaxWoken)
	default: // refilled, as it says above
	}
	d.p.Notes = append(d.p.Notes, assess.Finding{
		Code: CodeWakes, Severity: assess.Note, Subject: assess.Subject{Kind: "Node", Name: t.Node.Name},
		Message: fmt.Sprintf("In the turn of %s %s attaches %s, %s; a pod that wants one may wait.", t.Node.Name, who, Many(f.Asleep, "detached volume"), how),
	})
}
