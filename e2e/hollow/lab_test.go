// SPDX-License-Identifier: Apache-2.0

package hollow_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
)

// lab is one control plane with a fleet.
type lab struct {
	*testing.T
	client kubernetes.Interface
	fleet  *hollow.Fleet
}

// newLab starts a control plane and worker nodes w-1 to w-n.
func newLab(t *testing.T, driver hollow.VolumeDriver, workers int) lab {
	t.Helper()
	t.Parallel()
	bin, err := bench.Build(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := bench.Start(t.Context(), bench.Options{Binaries: bin})
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := hollow.NewFleet(t.Context(), hollow.Options{Config: c.Config(), Driver: driver, Dir: filepath.Join(c.Dir(), "fleet")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		fleet.Close()
		c.Stop()
		if t.Failed() {
			t.Logf("logs in %s", c.Dir())
			return
		}
		if err := c.Destroy(); err != nil {
			t.Error(err)
		}
	})
	l := lab{T: t, client: kubernetes.NewForConfigOrDie(c.Config()), fleet: fleet}
	var names []string
	for i := range workers {
		names = append(names, fmt.Sprintf("w-%d", i+1))
		if _, err := fleet.AddNode(t.Context(), hollow.NodeSpec{Name: names[i]}); err != nil {
			t.Fatal(err)
		}
	}
	l.ready(names...)
	return l
}

func (l lab) ready(names ...string) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	if err := l.fleet.WaitReady(ctx, names...); err != nil {
		l.Fatal(err)
	}
}

func (l lab) eventually(what string, ok func() bool) {
	l.Helper()
	for limit := time.Now().Add(90 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(limit) {
			l.Fatalf("waited 90 s for %s", what)
		}
	}
}

// deploy creates a Deployment and waits for its pods.
func (l lab) deploy(name string, replicas int32) []corev1.Pod {
	l.Helper()
	w := hollow.Workload{Namespace: "default", Name: name, Replicas: replicas}
	if _, err := l.client.AppsV1().Deployments("default").Create(l.Context(), w.Deployment(), metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	l.eventually("the pods of "+name, func() bool { return len(l.running(name)) == int(replicas) })
	return l.running(name)
}

// running returns the pods of a workload that are ready and stay.
func (l lab) running(name string) []corev1.Pod {
	l.Helper()
	pods, err := l.client.CoreV1().Pods("default").List(l.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		l.Fatal(err)
	}
	return slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil || !ready(p) })
}

func ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func (l lab) cordon(name string) {
	l.Helper()
	_, err := l.client.CoreV1().Nodes().Patch(l.Context(), name, "application/merge-patch+json", []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{})
	if err != nil {
		l.Fatal(err)
	}
}

func (l lab) evict(p corev1.Pod) error {
	return l.client.CoreV1().Pods(p.Namespace).EvictV1(l.Context(), &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &p.UID}},
	})
}

// get returns the pod as it is now, nil if it is gone or another has its name.
func (l lab) get(p corev1.Pod) *corev1.Pod {
	l.Helper()
	now, err := l.client.CoreV1().Pods(p.Namespace).Get(l.Context(), p.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || (err == nil && now.UID != p.UID) {
		return nil
	}
	if err != nil {
		l.Fatal(err)
	}
	return now
}

func (l lab) nodeReady(name string) corev1.ConditionStatus {
	l.Helper()
	node, err := l.client.CoreV1().Nodes().Get(l.Context(), name, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return ""
}
