// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// DrainSet is what a drain does with the pods of one node, each pod in exactly
// one of Go, Last and Stay, or named in Blocked.
type DrainSet struct {
	// Go are evicted.
	Go []cluster.Pod
	// Last are the storage's own, evicted when nothing needs them any more.
	Last []cluster.Pod
	// Stay are not touched: pods of a DaemonSet, and those of the kubelet.
	Stay []cluster.Pod
	// Blocked says which pods would be lost for good, or lose data; while it
	// is not empty the node must not be drained.
	Blocked []Finding
}

// Drain says which pods of the node go, which stay, and which block. It agrees
// with kubectl drain --ignore-daemonsets (k8s.io/kubectl v0.36.1
// pkg/drain/filters.go), whose --force and --delete-emptydir-data are risks
// here, accepted by CODE or CODE:NAMESPACE/NAME. A node that is not the one
// asked about is Blocked as a whole.
func Drain(s *cluster.Snapshot, p policy.Policy, ref cluster.NodeRef) DrainSet {
	var set DrainSet
	if s == nil {
		s = &cluster.Snapshot{}
	}
	if set.Blocked = sameNode(s.Node(ref.Name), ref); len(set.Blocked) > 0 {
		return set
	}
	own := map[string]bool{}
	for i := range s.Storages {
		own[s.Storages[i].Namespace] = s.Storages[i].Namespace != ""
	}
	for _, pod := range s.Pods {
		if pod.Node != ref.Name {
			continue
		}
		if stays(&pod) {
			set.Stay = append(set.Stay, pod)
			continue
		}
		blocked := blocks(&pod, p)
		set.Blocked = append(set.Blocked, blocked...)
		switch {
		case len(blocked) > 0:
		case own[pod.Ref.Namespace]:
			set.Last = append(set.Last, pod)
		default:
			set.Go = append(set.Go, pod)
		}
	}
	return set
}

// stays reports whether a drain leaves the pod alone: it would only be started
// again on the same node. A finished pod of a DaemonSet goes; the kubelet's own
// never do.
func stays(pod *cluster.Pod) bool {
	return pod.Owner == cluster.OwnerStatic || pod.Owner == cluster.OwnerDaemonSet && !pod.Finished
}

// blocks says what would be lost with the pod, unless it was accepted. A
// finished pod has nothing left to lose.
func blocks(pod *cluster.Pod, p policy.Policy) []Finding {
	name := pod.Ref.Namespace + "/" + pod.Ref.Name
	var out []Finding
	block := func(code string, s Severity, means string) {
		var risk policy.Risk
		if s == Danger {
			if p.Accepts(code, name) {
				return
			}
			risk = policy.Risk{Code: code, Name: name}
		}
		out = append(out, Finding{
			Code: code, Severity: s, Subject: Subject{Kind: "Pod", Namespace: pod.Ref.Namespace, Name: pod.Ref.Name},
			Message:  fmt.Sprintf("Pod %s on node %s %s.", name, pod.Node, means),
			Evidence: []cluster.Fact{fact("pod.uid", string(pod.Ref.UID)), fact("pod.owner", pod.OwnerName)},
			Risk:     risk,
		})
	}
	if pod.Owner == cluster.OwnerUnknown || pod.Owner > cluster.OwnerOrphan {
		block(PodOwnerUnknown, Unclear, "has an owner that could not be read")
		return out
	}
	if pod.Finished {
		return nil
	}
	switch pod.Owner {
	case cluster.OwnerNone:
		block(PodUnmanaged, Danger, "has no controller: nobody would start it again")
	case cluster.OwnerOrphan:
		block(PodDaemonSetGone, Danger, "belonged to a DaemonSet that is gone: nobody would start it again")
	}
	if pod.EmptyDir {
		block(PodEmptyDir, Danger, "keeps data in an emptyDir, which are lost with it")
	}
	return out
}
