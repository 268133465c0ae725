// SPDX-License-Identifier: Apache-2.0

package hollow_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
)

func TestFleet_EvictedPodsEndGracefullyAndComeBackElsewhere(t *testing.T) {
	l := newLab(t, nil, 3)
	pods := l.deploy("web", 3)
	victim := pods[0]
	if victim.Status.PodIP == "" || victim.Status.HostIP == "" || victim.Status.ContainerStatuses[0].State.Running == nil {
		t.Errorf("a running pod without address or running container: %+v", victim.Status)
	}
	l.cordon(victim.Spec.NodeName)
	if err := l.evict(victim); err != nil {
		t.Fatal(err)
	}
	if now := l.get(victim); now == nil || now.DeletionTimestamp == nil {
		t.Errorf("an evicted pod does not terminate gracefully: %v", now)
	}
	l.eventually("the evicted pod to be gone", func() bool { return l.get(victim) == nil })
	l.eventually("its successor", func() bool { return len(l.running("web")) == 3 })
	for _, p := range l.running("web") {
		if p.Name != victim.Name && p.CreationTimestamp.After(victim.CreationTimestamp.Time) && p.Spec.NodeName == victim.Spec.NodeName {
			t.Errorf("%s came back to the cordoned node %s", p.Name, p.Spec.NodeName)
		}
	}
}

func TestFleet_ADisruptionBudgetBlocksEviction(t *testing.T) {
	l := newLab(t, nil, 1)
	pod := l.deploy("db", 1)[0]
	one := intstr.FromInt32(1)
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}}}
	budgets := l.client.PolicyV1().PodDisruptionBudgets("default")
	if _, err := budgets.Create(t.Context(), budget, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the budget to count the pod", func() bool {
		b, err := budgets.Get(t.Context(), "db", metav1.GetOptions{})
		return err == nil && b.Status.CurrentHealthy == 1
	})
	if err := l.evict(pod); !apierrors.IsTooManyRequests(err) {
		t.Fatalf("eviction against the budget: %v, want 429", err)
	}
	if err := budgets.Delete(t.Context(), "db", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the eviction to be granted", func() bool { return l.evict(pod) == nil })
}

func TestFleet_PowerOffTurnsNotReadyAndLeavesThePods(t *testing.T) {
	l := newLab(t, nil, 2)
	pod := l.deploy("web", 1)[0]
	before, _ := l.fleet.Node(pod.Spec.NodeName)
	if err := l.fleet.PowerOff(before.Name); err != nil {
		t.Fatal(err)
	}
	l.eventually("the node to be NotReady", func() bool { return l.nodeReady(before.Name) == corev1.ConditionUnknown })
	if err := l.client.CoreV1().Pods("default").Delete(t.Context(), pod.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // far longer than a kubelet would need
	if now := l.get(pod); now == nil || now.DeletionTimestamp == nil {
		t.Fatalf("a pod on a dead machine is %v, want it to stay terminating", now)
	}
	if err := l.fleet.PowerOn(t.Context(), before.Name); err != nil {
		t.Fatal(err)
	}
	l.ready(before.Name)
	l.eventually("the pod to end after all", func() bool { return l.get(pod) == nil })
	after, _ := l.fleet.Node(before.Name)
	if after.UID != before.UID || after.DiskDir != before.DiskDir || after.BootID == before.BootID {
		t.Errorf("after a reboot: %+v, before: %+v; want the same UID and disk and another boot ID", after, before)
	}
}

func TestFleet_AReadyPodThatIsSaidNotToBeSaysSoAgain(t *testing.T) {
	l := newLab(t, nil, 1)
	pod := l.deploy("web", 1)[0]
	// As Kubernetes does when the node is late with its heartbeat.
	_, err := l.client.CoreV1().Pods("default").Patch(t.Context(), pod.Name, "application/strategic-merge-patch+json",
		[]byte(`{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	l.eventually("the pod to be ready again", func() bool { return ready(*l.get(pod)) })
}

func TestFleet_ARestartedMachineRunsItsPodsAgain(t *testing.T) {
	l := newLab(t, nil, 1)
	pod := l.deploy("web", 1)[0]
	if err := l.fleet.PowerOff("w-1"); err != nil {
		t.Fatal(err)
	}
	if err := l.fleet.PowerOn(t.Context(), "w-1"); err != nil {
		t.Fatal(err)
	}
	l.eventually("the container to be restarted", func() bool {
		now := l.get(pod)
		return now != nil && now.Status.ContainerStatuses[0].RestartCount == 1 && len(now.Status.PodIPs) == 1
	})
}

func TestFleet_RecreationGivesANewUIDAndAnEmptyDisk(t *testing.T) {
	l := newLab(t, nil, 1)
	old, _ := l.fleet.Node("w-1")
	if err := os.WriteFile(filepath.Join(old.DiskDir, "data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.fleet.AddNode(t.Context(), hollow.NodeSpec{Name: "w-1"}); !errors.Is(err, hollow.ErrNodeExists) {
		t.Errorf("a second node of a live name: %v", err)
	}
	fresh, err := l.fleet.Recreate(t.Context(), "w-1", hollow.NodeSpec{Name: "w-1"})
	if err != nil {
		t.Fatal(err)
	}
	l.ready("w-1")
	if fresh.UID == old.UID || fresh.ProviderID == old.ProviderID || fresh.DiskDir == old.DiskDir {
		t.Errorf("re-created: %+v, before: %+v", fresh, old)
	}
	if _, err := os.Stat(old.DiskDir); !os.IsNotExist(err) {
		t.Errorf("the old disk is still there: %v", err)
	}
	if left, err := os.ReadDir(fresh.DiskDir); err != nil || len(left) > 0 {
		t.Errorf("the new disk holds %v, %v", left, err)
	}

	if err := os.WriteFile(filepath.Join(fresh.DiskDir, "data"), []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	moved, err := l.fleet.Recreate(t.Context(), "w-1", hollow.NodeSpec{Name: "w-2", DiskDir: fresh.DiskDir})
	if err != nil {
		t.Fatal(err)
	}
	l.ready("w-2")
	if b, err := os.ReadFile(filepath.Join(moved.DiskDir, "data")); err != nil || string(b) != "y" {
		t.Errorf("the kept disk holds %q, %v", b, err)
	}
	if _, err := l.client.CoreV1().Nodes().Get(t.Context(), "w-1", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the old Node object: %v", err)
	}
}

func TestFleet_SwappedDisksKeepTheirBytes(t *testing.T) {
	l := newLab(t, nil, 2)
	one, _ := l.fleet.Node("w-1")
	other, _ := l.fleet.Node("w-2")
	if err := l.fleet.SwapDisks("w-1", "w-2"); err == nil {
		t.Error("the disk of a machine that is on is taken out")
	}
	for _, name := range []string{"w-1", "w-2"} {
		if err := l.fleet.PowerOff(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.fleet.SwapDisks("w-1", "w-1"); err == nil {
		t.Error("a machine's disk is swapped for itself")
	}
	if err := l.fleet.SwapDisks("w-2", "w-1"); err != nil {
		t.Fatal(err)
	}
	if a, b := l.fleet.DiskDir("w-1"), l.fleet.DiskDir("w-2"); a != other.DiskDir || b != one.DiskDir {
		t.Errorf("w-1 has %s and w-2 has %s; they were %s and %s", a, b, one.DiskDir, other.DiskDir)
	}
}

func TestFleet_ADeletedNodeObjectStaysGoneUntilTheKubeletStartsAnew(t *testing.T) {
	l := newLab(t, nil, 1)
	nodes := l.client.CoreV1().Nodes()
	if err := nodes.Delete(t.Context(), "w-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // more than one heartbeat
	if _, err := nodes.Get(t.Context(), "w-1", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("a running kubelet registered its node anew: %v", err)
	}
	before, _ := l.fleet.Node("w-1")
	if err := l.fleet.PowerOff("w-1"); err != nil {
		t.Fatal(err)
	}
	if err := l.fleet.PowerOn(t.Context(), "w-1"); err != nil {
		t.Fatal(err)
	}
	l.ready("w-1")
	if after, _ := l.fleet.Node("w-1"); after.UID == before.UID || after.DiskDir != before.DiskDir {
		t.Errorf("after registering anew: %+v, before: %+v; want another UID and the same disk", after, before)
	}
	// Lease and CSINode of the former Node are collected as garbage; the new
	// node must end with its own.
	l.eventually("lease and CSINode of the new node", func() bool {
		node, err := nodes.Get(t.Context(), "w-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		lease, lErr := l.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), "w-1", metav1.GetOptions{})
		csi, cErr := l.client.StorageV1().CSINodes().Get(t.Context(), "w-1", metav1.GetOptions{})
		return lErr == nil && cErr == nil && lease.OwnerReferences[0].UID == node.UID && csi.OwnerReferences[0].UID == node.UID && len(csi.Spec.Drivers) == 1
	})
}

func TestFleet_ASlowPodGetsItsGraceAndNotMore(t *testing.T) {
	l := newLab(t, nil, 1)
	pod := (hollow.Workload{Namespace: "default", Name: "slow"}).Pod()
	pod.Annotations = map[string]string{hollow.TerminationAnnotation: "1h"}
	grace := int64(3)
	pod.Spec.TerminationGracePeriodSeconds = &grace
	made, err := l.client.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.eventually("the pod to run", func() bool { return len(l.running("slow")) == 1 })
	began := time.Now()
	if err := l.client.CoreV1().Pods("default").Delete(t.Context(), "slow", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the pod to be gone", func() bool { return l.get(*made) == nil })
	if took := time.Since(began); took < 2900*time.Millisecond || took > 30*time.Second {
		t.Errorf("gone after %s, want its grace of 3 s", took)
	}
}

func TestWorkload_EveryKindRuns(t *testing.T) {
	l := newLab(t, nil, 2)
	ctx := t.Context()
	of := func(name string) hollow.Workload {
		return hollow.Workload{Namespace: "default", Name: name, Replicas: 1, NodeSelector: map[string]string{corev1.LabelHostname: "w-2"}}
	}
	_, err1 := l.client.AppsV1().Deployments("default").Create(ctx, of("deployment").Deployment(), metav1.CreateOptions{})
	_, err2 := l.client.AppsV1().StatefulSets("default").Create(ctx, of("statefulset").StatefulSet(), metav1.CreateOptions{})
	_, err3 := l.client.AppsV1().DaemonSets("default").Create(ctx, of("daemonset").DaemonSet(), metav1.CreateOptions{})
	_, err4 := l.client.CoreV1().Pods("default").Create(ctx, of("pod").Pod(), metav1.CreateOptions{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"deployment", "statefulset", "daemonset", "pod"} {
		l.eventually("the "+name, func() bool { return len(l.running(name)) == 1 })
		if node := l.running(name)[0].Spec.NodeName; node != "w-2" {
			t.Errorf("the %s runs on %s", name, node)
		}
	}
}
