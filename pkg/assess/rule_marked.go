// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Tools that take machines down say so on the Node before they do: whoever goes
// by Ready alone takes a second node out in the seconds in between. Only marks
// that are certain are here. What calls a node a candidate, asks pods to prefer
// others, or tells of a version says nothing of what happens next:
// DeletionCandidateOfClusterAutoscaler, karpenter.sh/disruption=candidate, the
// labels of system-upgrade-controller, node.cluster.x-k8s.io/outdated-revision,
// aws-node-termination-handler/rebalance-recommendation. Cluster API marks
// Machines, which are not read.
//
// Where each is from: kubernetes/autoscaler utils/taints; kubernetes-sigs/karpenter
// pkg/apis/v1/taints.go, and v1beta1; kubereboot/kured cmd/kured ("I am going to be
// rebooted", so that other tools know; set before it has its lock);
// openshift/machine-config-operator pkg/daemon/constants; medik8s/node-maintenance-operator
// controllers/taint.go; aws/aws-node-termination-handler pkg/node and TAINT_NODE in
// its chart; the --taint of GKE's termination handler; k8s.io/cloud-provider/api and
// k8s.io/api/core/v1 well_known_taints.go.

// GoingMark is a mark by which another tool says that it takes the node down.
type GoingMark struct {
	// Mark is the key of the taint or annotation, with its value where that
	// makes the mark.
	Mark string
	// Says is a clause: who does what.
	Says string
	// Remedy says what to do about it.
	Remedy string
}

// MarkedToGo are the marks of others on the node that say that it is about to go
// down, or is down.
func MarkedToGo(n *cluster.Node) []GoingMark {
	var out []GoingMark
	for _, taint := range n.Taints {
		rest := taint[:max(strings.LastIndex(taint, ":"), 0)]
		key, value, _ := strings.Cut(rest, "=")
		if g := goingTaint(key, value); g.Says != "" {
			out = append(out, g)
		}
	}
	for _, a := range n.Announced {
		key, value, _ := strings.Cut(a, "=")
		if g := goingAnnotation(key, value); g.Says != "" {
			out = append(out, g)
		}
	}
	return out
}

func goingTaint(key, value string) GoingMark {
	switch key {
	case "ToBeDeletedByClusterAutoscaler":
		return GoingMark{key, "the cluster autoscaler is about to delete it",
			"let the cluster autoscaler delete it, or have it scale down nothing meanwhile"}
	case "karpenter.sh/disrupted":
		return GoingMark{key, "Karpenter is about to delete it", karpenterRemedy}
	case "karpenter.sh/disruption":
		if value != "disrupting" {
			return GoingMark{}
		}
		return GoingMark{key + "=" + value, "Karpenter is about to delete it", karpenterRemedy}
	case "medik8s.io/drain":
		return GoingMark{key, "the node maintenance operator has it in maintenance", "end its NodeMaintenance"}
	case "aws-node-termination-handler/spot-itn", "aws-node-termination-handler/asg-lifecycle-termination":
		return GoingMark{key, "its instance is about to be ended, says the AWS node termination handler", "wait until the instance is gone, and its Node with it"}
	case "cloud.google.com/impending-node-termination":
		return GoingMark{key, "its instance is about to be ended, says GKE", "wait until the instance is gone, and its Node with it"}
	case "node.cloudprovider.kubernetes.io/shutdown":
		return GoingMark{key, "its instance is shut down, says the cloud", "start the instance, or remove the node from the cluster"}
	case "node.kubernetes.io/out-of-service":
		return GoingMark{key, "somebody has declared it out of service", "bring it back and take the taint off, which nobody else does, or remove the node from the cluster"}
	default:
		return GoingMark{}
	}
}

const karpenterRemedy = "let Karpenter delete it, or have its NodePool disrupt nothing meanwhile (a budget of 0 nodes)"

func goingAnnotation(key, value string) GoingMark {
	switch {
	case value != "" && (key == cluster.KuredReboot || key == cluster.OldKuredReboot):
		return GoingMark{key, "kured is about to reboot it, or does so now", "let kured finish, or hold its lock meanwhile and take the annotation off"}
	case key == cluster.MachineConfigState && (value == "Working" || value == "Rebooting"):
		return GoingMark{key + "=" + value, "the machine config operator is updating it", "let it finish, or pause its MachineConfigPool"}
	default:
		return GoingMark{}
	}
}

// markedNotes says of a node what others' marks say.
func markedNotes(n *cluster.Node) []Finding {
	var out []Finding
	for _, g := range MarkedToGo(n) {
		out = append(out, nodeNote(n, NodeMarkedToGo, []cluster.Fact{fact("node.mark", g.Mark)}, g.Message(n)))
	}
	return out
}

// Message is one sentence that names the node, the mark and whose it is.
func (g GoingMark) Message(n *cluster.Node) string {
	return fmt.Sprintf("Node %s bears the mark %s: %s.", n.Ref.Name, g.Mark, g.Says)
}
