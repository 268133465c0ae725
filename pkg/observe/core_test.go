// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// read reads YAML documents without any storage.
func read(t *testing.T, content string) *cluster.Snapshot {
	t.Helper()
	s, err := given(t, content)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCore_ANodeIsTranslated(t *testing.T) {
	s := read(t, `
apiVersion: v1
kind: Node
metadata:
  name: w1
  uid: u1
  creationTimestamp: "2026-01-01T10:00:00Z"
  deletionTimestamp: "2026-01-02T10:00:00Z"
  labels: {a: b, topology.kubernetes.io/zone: z1}
  annotations: {weave.works/kured-reboot-in-progress: now, some: thing, machineconfiguration.openshift.io/state: Done}
spec:
  unschedulable: true
  providerID: cloud://w1
  taints:
  - {key: node.kubernetes.io/unschedulable, effect: NoSchedule}
  - {key: k, value: v, effect: NoExecute}
status:
  nodeInfo: {bootID: b1}
  conditions:
  - {type: MemoryPressure, status: "False"}
  - {type: Ready, status: "True", reason: KubeletReady}
---
apiVersion: coordination.k8s.io/v1
kind: LeaseList
items:
- metadata: {name: w1, namespace: kube-node-lease, uid: l1}
  spec: {renewTime: "2026-01-01T10:05:00.123456Z", leaseDurationSeconds: 40}
- metadata: {name: w1, namespace: kube-system, uid: l2}
  spec: {renewTime: "2026-01-01T12:00:00.000000Z", leaseDurationSeconds: 15}
`)
	want := cluster.Node{
		Ref: cluster.NodeRef{Name: "w1", UID: "u1"}, Created: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC),
		Ready: cluster.Yes, ReadyReason: "KubeletReady", Cordoned: true, Deleting: true,
		LeaseRenewed: time.Date(2026, 1, 1, 10, 5, 0, 123456000, time.UTC), LeaseDuration: 40 * time.Second,
		Labels:     map[string]string{"a": "b", "topology.kubernetes.io/zone": "z1"},
		Taints:     []string{"node.kubernetes.io/unschedulable=:NoSchedule", "k=v:NoExecute"},
		Announced:  []string{"weave.works/kured-reboot-in-progress=now", "machineconfiguration.openshift.io/state=Done"},
		ProviderID: "cloud://w1", BootID: "b1", Zone: "z1",
	}
	if diff := cmp.Diff([]cluster.Node{want}, s.Nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	for status, want := range map[string]cluster.Answer{`"True"`: cluster.Yes, `"False"`: cluster.No, "Unknown": cluster.Unknown, "dreaming": cluster.Unknown} {
		s := read(t, fmt.Sprintf("apiVersion: v1\nkind: Node\nmetadata: {name: w, uid: w}\nstatus: {conditions: [{type: Ready, status: %s}]}\n", status))
		if s.Nodes[0].Ready != want {
			t.Errorf("Ready %s is %d, want %d", status, s.Nodes[0].Ready, want)
		}
	}
	old := read(t, "apiVersion: v1\nkind: Node\nmetadata: {name: w, uid: w, labels: {failure-domain.beta.kubernetes.io/zone: old}}\n").Nodes[0]
	if old.Zone != "old" || old.Ready != cluster.Unknown || !old.LeaseRenewed.IsZero() {
		t.Errorf("node %+v", old)
	}
}

func TestCore_PodsKnowTheirOwners(t *testing.T) {
	owner := func(kind string, controller bool) string {
		return fmt.Sprintf("ownerReferences: [{kind: %s, name: o, controller: %t}]", kind, controller)
	}
	daemon := "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: %s, namespace: %s, uid: d}\n"
	for name, c := range map[string]struct {
		meta, more string
		want       cluster.Owner
	}{
		"nobody":                           {"labels: {}", "", cluster.OwnerNone},
		"an owner that does not control":   {owner("ReplicaSet", false), "", cluster.OwnerNone},
		"a ReplicaSet":                     {owner("ReplicaSet", true), "", cluster.OwnerOther},
		"a DaemonSet that exists":          {owner("DaemonSet", true), fmt.Sprintf(daemon, "o", "ns"), cluster.OwnerDaemonSet},
		"a DaemonSet that is gone":         {owner("DaemonSet", true), fmt.Sprintf(daemon, "other", "ns"), cluster.OwnerOrphan},
		"a DaemonSet of another namespace": {owner("DaemonSet", true), fmt.Sprintf(daemon, "o", "other"), cluster.OwnerOrphan},
		"a DaemonSet, no list of them":     {owner("DaemonSet", true), "", cluster.OwnerUnknown},
		"the kubelet":                      {"annotations: {kubernetes.io/config.mirror: x}\n  " + owner("Node", true), "", cluster.OwnerStatic},
	} {
		s := read(t, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: ns\n  uid: u\n  "+c.meta+"\n"+c.more)
		if p := s.Pods[0]; p.Owner != c.want || (c.want == cluster.OwnerOther && p.OwnerName != "ReplicaSet/o") {
			t.Errorf("%s: owner %d %q, want %d", name, p.Owner, p.OwnerName, c.want)
		}
	}
}

func TestCore_PodsAreTranslated(t *testing.T) {
	s := read(t, `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ns, uid: u, deletionTimestamp: "2026-01-02T10:00:00Z", labels: {app: a}}
spec:
  nodeName: w1
  volumes:
  - {name: a, persistentVolumeClaim: {claimName: data}}
  - {name: scratch, ephemeral: {volumeClaimTemplate: {spec: {}}}}
  - {name: b, emptyDir: {}}
  - {name: c, configMap: {name: x}}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: q, namespace: ns, uid: v}
spec: {volumes: [{name: a, hostPath: {path: /}}]}
status: {phase: Succeeded}
`)
	want := []cluster.Pod{
		{
			Ref: cluster.PodRef{Namespace: "ns", Name: "p", UID: "u"}, Node: "w1", Ready: cluster.Yes, Deleting: true, Owner: cluster.OwnerNone,
			Claims: []string{"data", "p-scratch"}, EmptyDir: true, Labels: map[string]string{"app": "a"},
		},
		{Ref: cluster.PodRef{Namespace: "ns", Name: "q", UID: "v"}, Finished: true, Owner: cluster.OwnerNone, HostPath: true},
	}
	if diff := cmp.Diff(want, s.Pods); diff != "" {
		t.Errorf("pods (-want +got):\n%s", diff)
	}
}

func TestCore_BudgetsCoverWhatTheirSelectorMatches(t *testing.T) {
	pods := `
apiVersion: v1
kind: PodList
items:
- metadata: {name: a, namespace: ns, uid: pa, labels: {app: web, tier: one}}
- metadata: {name: b, namespace: ns, uid: pb, labels: {app: web}}
- metadata: {name: c, namespace: ns, uid: pc}
- metadata: {name: d, namespace: other, uid: pd, labels: {app: web}}
---
`
	for selector, want := range map[string]string{
		"{matchLabels: {app: web}}":                                                          "[pa pb]",
		"{matchExpressions: [{key: tier, operator: Exists}]}":                                "[pa]",
		"{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}":                   "[pc]",
		"{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: DoesNotExist}]}": "[pb]",
		"{}":   "[pa pb pc]",
		"null": "[]",
	} {
		s := read(t, pods+"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x, namespace: ns, uid: x}\nspec: {selector: "+selector+
			"}\nstatus: {disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 3, expectedPods: 4}\n")
		b := s.Budgets[0]
		if got := fmt.Sprint(b.Pods); got != want || b.Allowed != 1 || b.Healthy != 2 || b.Desired != 3 || b.Expected != 4 {
			t.Errorf("%s: budget %+v, want %s", selector, b, want)
		}
	}
	if _, err := given(t, "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x}\nspec: {selector: {matchExpressions: [{key: a, operator: Dream}]}}\n"); err == nil {
		t.Error("a selector that cannot be understood is passed over")
	}
}

func TestCore_VolumesAndAttachmentsAreTranslated(t *testing.T) {
	s := read(t, `
apiVersion: v1
kind: PersistentVolume
metadata: {name: csi, uid: u1}
spec:
  csi: {driver: driver.longhorn.io, volumeHandle: vol}
  claimRef: {namespace: ns, name: data}
status: {phase: Bound}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: local, uid: u2, deletionTimestamp: "2026-01-02T10:00:00Z"}
spec:
  local: {path: /data}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [w1, w2]}, {key: zone, operator: In, values: [z]}]}]}}
status: {phase: Released}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: path, uid: u3}
spec: {hostPath: {path: /data}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: topo, uid: u5}
spec:
  csi: {driver: topolvm.io, volumeHandle: t}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.topolvm.io/node, operator: In, values: [w3]}, {key: topology.kubernetes.io/zone, operator: In, values: [z]}]}]}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: zfs, uid: u7}
spec:
  csi: {driver: zfs.csi.openebs.io, volumeHandle: z}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: openebs.io/nodeid, operator: In, values: [w3]}]}]}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: wfield, uid: u6}
spec:
  local: {path: /data}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [w4]}]}]}}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: {name: va, uid: u4}
spec: {attacher: driver.longhorn.io, nodeName: w1, source: {persistentVolumeName: csi}}
status: {attached: true}
`)
	want := []cluster.PersistentVolume{
		{Name: "csi", UID: "u1", Driver: "driver.longhorn.io", Handle: "vol", ClaimNamespace: "ns", ClaimName: "data", Bound: true},
		{Name: "local", UID: "u2", Local: true, Deleting: true, Hostnames: []string{"w1", "w2"}},
		{Name: "path", UID: "u3", Local: true},
		{Name: "topo", UID: "u5", Driver: "topolvm.io", Handle: "t", Hostnames: []string{"w3"}},
		{Name: "wfield", UID: "u6", Local: true, Hostnames: []string{"w4"}},
		{Name: "zfs", UID: "u7", Driver: "zfs.csi.openebs.io", Handle: "z", Hostnames: []string{"w3"}},
	}
	if diff := cmp.Diff(want, s.Persistent); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	attachment := cluster.Attachment{Name: "va", UID: "u4", Driver: "driver.longhorn.io", PV: "csi", Node: "w1", Attached: true}
	if diff := cmp.Diff([]cluster.Attachment{attachment}, s.Attachments); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
}
