// SPDX-License-Identifier: Apache-2.0

package hollow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
)

// storage is a volume driver and an attacher that attach everything at once and
// write down what happens, in order.
type storage struct {
	mu      sync.Mutex
	history []string
	refuse  bool // the next mounts fail
}

func (s *storage) note(words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, strings.Join(words, " "))
}

// since returns what happened after the given number of entries.
func (s *storage) since(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history[n:])
}

func (s *storage) Mount(_ context.Context, m hollow.Mount) error {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse {
		return errors.New("not today")
	}
	s.note("mount", m.Handle, m.Node)
	return nil
}

func (s *storage) Unmount(_ context.Context, m hollow.Mount) error {
	s.note("unmount", m.Handle, m.Node)
	return nil
}

func (s *storage) setRefuse(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = yes
}

// attach plays the CSI attacher until ctx ends.
func (s *storage) attach(ctx context.Context, client kubernetes.Interface) {
	for ctx.Err() == nil {
		all, err := client.StorageV1().VolumeAttachments().List(ctx, metav1.ListOptions{})
		if err == nil {
			for i := range all.Items {
				s.attachOne(ctx, client, &all.Items[i])
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *storage) attachOne(ctx context.Context, client kubernetes.Interface, a *storagev1.VolumeAttachment) {
	const finalizer = "external-attacher/driver-longhorn-io"
	api := client.StorageV1().VolumeAttachments()
	switch {
	case a.DeletionTimestamp != nil:
		a.Finalizers = nil
		if _, err := api.Update(ctx, a, metav1.UpdateOptions{}); err == nil {
			s.note("detach", *a.Spec.Source.PersistentVolumeName, a.Spec.NodeName)
		}
	case len(a.Finalizers) == 0:
		a.Finalizers = []string{finalizer}
		_, _ = api.Update(ctx, a, metav1.UpdateOptions{})
	case !a.Status.Attached:
		a.Status.Attached = true
		s.note("attach", *a.Spec.Source.PersistentVolumeName, a.Spec.NodeName)
		_, _ = api.UpdateStatus(ctx, a, metav1.UpdateOptions{})
	}
}

// claimed starts a lab with Longhorn's objects and one claim "data" on vol-1.
func claimed(t *testing.T, s *storage, workers int) lab {
	t.Helper()
	l := newLab(t, s, workers)
	ctx := t.Context()
	done := make(chan struct{})
	attaching, stop := context.WithCancel(ctx)
	go func() { defer close(done); s.attach(attaching, l.client) }()
	t.Cleanup(func() { stop(); <-done })
	if err := (hollow.Longhorn{Version: "v1.8.1", EngineImage: hollow.EngineImage}).Install(ctx, l.client); err != nil {
		t.Fatal(err)
	}
	claim := hollow.Claim{Namespace: "default", Name: "data", Volume: "vol-1", Size: 1 << 30}
	if err := claim.Create(ctx, l.client); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l lab) stateful(name string) {
	l.Helper()
	w := hollow.Workload{Namespace: "default", Name: name, Replicas: 1, Claim: "data"}
	if _, err := l.client.AppsV1().StatefulSets("default").Create(l.Context(), w.StatefulSet(), metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
}

func TestVolume_FollowsItsPodInOrder(t *testing.T) {
	s := &storage{}
	l := claimed(t, s, 2)
	l.stateful("db")
	l.eventually("the pod to run", func() bool { return len(l.running("db")) == 1 })
	pod := l.running("db")[0]
	old := pod.Spec.NodeName
	if got, want := s.since(0), []string{"attach vol-1 " + old, "mount vol-1 " + old}; !slices.Equal(got, want) {
		t.Fatalf("happened: %q, want %q", got, want)
	}
	node, err := l.client.CoreV1().Nodes().Get(t.Context(), old, metav1.GetOptions{})
	if err != nil || !slices.Equal(node.Status.VolumesInUse, []corev1.UniqueVolumeName{"kubernetes.io/csi/driver.longhorn.io^vol-1"}) {
		t.Errorf("volumes in use: %v, %v", node.Status.VolumesInUse, err)
	}
	l.cordon(old)
	if err := l.evict(pod); err != nil {
		t.Fatal(err)
	}
	l.eventually("the pod to run elsewhere", func() bool { p := l.running("db"); return len(p) == 1 && p[0].UID != pod.UID })
	fresh := l.running("db")[0].Spec.NodeName
	if got, want := s.since(2), []string{"unmount vol-1 " + old, "detach vol-1 " + old, "attach vol-1 " + fresh, "mount vol-1 " + fresh}; !slices.Equal(got, want) {
		t.Errorf("happened: %q, want %q", got, want)
	}
}

func TestVolume_APodWaitsUntilItIsMounted(t *testing.T) {
	s := &storage{refuse: true}
	l := claimed(t, s, 1)
	l.stateful("db")
	l.eventually("the volume to be attached", func() bool { return len(s.since(0)) == 1 })
	time.Sleep(1500 * time.Millisecond) // longer than the kubelet's next attempt
	if len(l.running("db")) > 0 {
		t.Fatal("the pod runs without its volume")
	}
	s.setRefuse(false)
	l.eventually("the pod to run", func() bool { return len(l.running("db")) == 1 })
}

func TestVolume_AQuicklyRecreatedNodeTakesUpThePodsOfItsName(t *testing.T) {
	s := &storage{}
	l := claimed(t, s, 1)
	l.stateful("db")
	l.eventually("the pod to run", func() bool { return len(l.running("db")) == 1 })
	pod := l.running("db")[0]
	if _, err := l.fleet.Recreate(t.Context(), "w-1", hollow.NodeSpec{Name: "w-1"}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the same pod to run again", func() bool {
		now := l.get(pod)
		return now != nil && now.Status.ContainerStatuses[0].RestartCount == 1
	})
	// A machine that is gone unmounts nothing; the new one mounts by itself.
	if got, want := s.since(2), []string{"mount vol-1 w-1"}; !slices.Equal(got, want) {
		t.Errorf("happened: %q, want %q", got, want)
	}
}

func TestVolume_IsUnmountedAlsoWhenItsPodIsForceDeleted(t *testing.T) {
	s := &storage{}
	l := claimed(t, s, 1)
	l.stateful("db")
	l.eventually("the pod to run", func() bool { return len(l.running("db")) == 1 })
	pod, none := l.running("db")[0], int64(0)
	if err := l.client.CoreV1().Pods("default").Delete(t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &none}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the volume to be unmounted", func() bool { return slices.Contains(s.since(2), "unmount vol-1 w-1") })
	l.eventually("the next pod to run", func() bool { p := l.running("db"); return len(p) == 1 && p[0].UID != pod.UID })
}

func TestLonghorn_ItsPodsRunOnEveryNodeWithoutATaint(t *testing.T) {
	l := newLab(t, nil, 2)
	taint := corev1.Taint{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}
	if _, err := l.fleet.AddNode(t.Context(), hollow.NodeSpec{Name: "cp-1", Taints: []corev1.Taint{taint}}); err != nil {
		t.Fatal(err)
	}
	l.ready("cp-1")
	longhorn := hollow.Longhorn{Version: "v1.8.1", EngineImage: hollow.EngineImage}
	if err := longhorn.Install(t.Context(), l.client); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := longhorn.WaitDaemonSets(ctx, l.client, 2); err != nil {
		t.Fatal(err)
	}
	pods, err := l.client.CoreV1().Pods(hollow.LonghornNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 6 {
		t.Fatalf("%d pods, want 3 on each of 2 nodes: %v", len(pods.Items), err)
	}
	for _, p := range pods.Items {
		if p.Spec.NodeName == "cp-1" {
			t.Errorf("%s runs on the control-plane node", p.Name)
		}
	}
}
