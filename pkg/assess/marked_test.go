// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A mark that only hints at what may happen is none.
func TestMarkedToGo_KnowsWhoseMarkItIs(t *testing.T) {
	for mark, whose := range map[string]string{
		"ToBeDeletedByClusterAutoscaler=1700000000:NoSchedule":                "cluster autoscaler",
		"ToBeDeletedByClusterAutoscaler=:NoSchedule":                          "cluster autoscaler",
		"DeletionCandidateOfClusterAutoscaler=1700000000:PreferNoSchedule":    "",
		"karpenter.sh/disrupted=:NoSchedule":                                  "Karpenter",
		"karpenter.sh/disruption=disrupting:NoSchedule":                       "Karpenter",
		"karpenter.sh/disruption=candidate:NoSchedule":                        "",
		"karpenter.sh/unregistered=:NoExecute":                                "",
		"medik8s.io/drain=:NoSchedule":                                        "maintenance operator",
		"aws-node-termination-handler/spot-itn=a:NoSchedule":                  "AWS",
		"aws-node-termination-handler/asg-lifecycle-termination=a:NoSchedule": "AWS",
		"aws-node-termination-handler/rebalance-recommendation=a:NoSchedule":  "",
		"cloud.google.com/impending-node-termination=:NoSchedule":             "GKE",
		"node.cloudprovider.kubernetes.io/shutdown=:NoSchedule":               "the cloud",
		"node.cloudprovider.kubernetes.io/uninitialized=true:NoSchedule":      "",
		"node.kubernetes.io/out-of-service=nodeshutdown:NoExecute":            "somebody",
		"node.kubernetes.io/unschedulable=:NoSchedule":                        "",
		"node.cluster.x-k8s.io/outdated-revision=:PreferNoSchedule":           "",
		"": "",
	} {
		told(t, mark, whose, &cluster.Node{Taints: []string{mark}})
	}
	for mark, whose := range map[string]string{
		"weave.works/kured-reboot-in-progress=2026-01-01T00:00:00Z": "kured",
		"kured.dev/kured-reboot-in-progress=2026-01-01T00:00:00Z":   "kured",
		"kured.dev/kured-reboot-in-progress=":                       "",
		"machineconfiguration.openshift.io/state=Working":           "machine config operator",
		"machineconfiguration.openshift.io/state=Rebooting":         "machine config operator",
		"machineconfiguration.openshift.io/state=Done":              "",
		"machineconfiguration.openshift.io/state=Degraded":          "",
	} {
		told(t, mark, whose, &cluster.Node{Announced: []string{mark}})
	}
}

func told(t *testing.T, mark, whose string, n *cluster.Node) {
	t.Helper()
	n.Ref.Name = "w1"
	all := MarkedToGo(n)
	switch {
	case whose == "" && len(all) > 0:
		t.Errorf("%s says that the node goes: %+v", mark, all)
	case whose == "":
	case len(all) != 1 || !strings.Contains(all[0].Says, whose) || all[0].Remedy == "" ||
		!strings.HasPrefix(mark, all[0].Mark) || !strings.HasPrefix(all[0].Message(n), "Node w1 bears the mark "):
		t.Errorf("%s is said to be %+v", mark, all)
	}
}

// What the table asks of annotations has to be among those that are kept.
func TestMarkedToGo_EveryAnnotationThatIsKeptIsAMark(t *testing.T) {
	for _, key := range cluster.Announcements() {
		if goingAnnotation(key, "Working").Says == "" {
			t.Errorf("%s is kept for nothing", key)
		}
	}
}
