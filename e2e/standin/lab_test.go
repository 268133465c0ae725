// SPDX-License-Identifier: Apache-2.0

package standin_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// lab is a control plane with hollow nodes and the stand-in.
type lab struct {
	*testing.T
	client   kubernetes.Interface
	longhorn lhclient.Interface
	cluster  *bench.Cluster
	fleet    *hollow.Fleet
	standin  *standin.Standin
	expected scenario.Expected
	began    time.Time
}

func newLab(t *testing.T, o standin.Options, workers ...string) *lab {
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
	log, err := os.Create(filepath.Join(c.Dir(), "logs", "standin.log"))
	if err != nil {
		t.Fatal(err)
	}
	o.Config, o.Log = c.Config(), slog.New(slog.NewTextHandler(log, nil))
	s, err := standin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := hollow.NewFleet(t.Context(), hollow.Options{Config: c.Config(), Driver: s, Dir: filepath.Join(c.Dir(), "fleet")})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{
		T: t, client: kubernetes.NewForConfigOrDie(c.Config()), longhorn: lhclient.NewForConfigOrDie(c.Config()),
		cluster: c, fleet: fleet, standin: s, expected: scenario.Expected{}, began: time.Now(),
	}
	t.Cleanup(func() {
		s.Close()
		fleet.Close()
		_ = log.Close()
		c.Stop()
		if t.Failed() {
			t.Logf("logs in %s", c.Dir())
			return
		}
		if err := c.Destroy(); err != nil {
			t.Error(err)
		}
	})
	install := hollow.Longhorn{Version: "v1.8.1", EngineImage: hollow.EngineImage}
	if err := install.Install(t.Context(), l.client); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context(), fleet); err != nil {
		t.Fatal(err)
	}
	l.stamp("stand-in started")
	for _, n := range workers {
		if _, err := fleet.AddNode(t.Context(), hollow.NodeSpec{Name: n}); err != nil {
			t.Fatal(err)
		}
	}
	l.usable(workers...)
	l.stamp("nodes usable")
	return l
}

func (l *lab) stamp(what string) { l.Logf("%6.1f s  %s", time.Since(l.began).Seconds(), what) }

// usable waits until Longhorn can place replicas on the nodes.
func (l *lab) usable(names ...string) {
	l.Helper()
	l.eventually("nodes usable", func() string {
		for _, name := range names {
			k, err := l.client.CoreV1().Nodes().Get(l.Context(), name, metav1.GetOptions{})
			if err != nil {
				return err.Error()
			}
			n, err := l.longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(l.Context(), name, metav1.GetOptions{})
			if err != nil {
				return err.Error()
			}
			if n.CreationTimestamp.Before(&k.CreationTimestamp) || n.DeletionTimestamp != nil {
				return name + " is still the former one"
			}
			ok := false
			for _, d := range n.Status.DiskStatus {
				for _, c := range d.Conditions {
					ok = ok || c.Type == longhorn.DiskConditionTypeSchedulable && c.Status == longhorn.ConditionStatusTrue
				}
			}
			if !ok || l.manager(name) == nil || l.manager(name).Status.CurrentState != longhorn.InstanceManagerStateRunning {
				return name + " has no disk or no instance manager"
			}
		}
		return ""
	})
}

// usableAgain waits until Longhorn takes nodes for ready that it knows.
func (l *lab) usableAgain(names ...string) {
	l.Helper()
	l.eventually("nodes usable again", func() string {
		for _, name := range names {
			n, err := l.longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(l.Context(), name, metav1.GetOptions{})
			if err != nil {
				return err.Error()
			}
			if n.Status.Conditions[0].Status != longhorn.ConditionStatusTrue {
				return n.Status.Conditions[0].Message
			}
			im, err := l.client.CoreV1().Pods(standin.Namespace).List(l.Context(), metav1.ListOptions{
				LabelSelector: "longhorn.io/component=instance-manager", FieldSelector: "spec.nodeName=" + name,
			})
			if err != nil || len(im.Items) != 1 || im.Items[0].DeletionTimestamp != nil {
				return fmt.Sprintf("the instance managers of %s: %d, %v", name, len(im.Items), err)
			}
		}
		return ""
	})
}

func (l *lab) manager(node string) *longhorn.InstanceManager {
	ims, err := l.longhorn.LonghornV1beta2().InstanceManagers(standin.Namespace).List(l.Context(), metav1.ListOptions{})
	if err != nil {
		return nil
	}
	for i := range ims.Items {
		if ims.Items[i].Spec.NodeID == node && ims.Items[i].DeletionTimestamp == nil {
			return &ims.Items[i]
		}
	}
	return nil
}

// eventually waits for up to a minute until cond says nothing any more.
func (l *lab) eventually(what string, cond func() string) {
	l.Helper()
	limit := time.Now().Add(time.Minute)
	for {
		why := cond()
		if why == "" {
			return
		}
		if time.Now().After(limit) {
			l.Fatalf("after a minute still not: %s: %s\n%s", what, why, l.dump())
		}
		select {
		case <-l.Context().Done():
			l.Fatal(context.Cause(l.Context()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (l *lab) volume(name string) *longhorn.Volume {
	l.Helper()
	v, err := l.longhorn.LonghornV1beta2().Volumes(standin.Namespace).Get(l.Context(), name, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return v
}

func (l *lab) replicas(volume string) []longhorn.Replica {
	l.Helper()
	rs, err := l.longhorn.LonghornV1beta2().Replicas(standin.Namespace).List(l.Context(), metav1.ListOptions{LabelSelector: "longhornvolume=" + volume})
	if err != nil {
		l.Fatal(err)
	}
	return rs.Items
}

func (l *lab) until(volume, state string) {
	l.Helper()
	l.eventually(volume+" "+state, func() string {
		v := l.volume(volume)
		if got := string(v.Status.State) + "/" + string(v.Status.Robustness); got != state {
			return got
		}
		return ""
	})
}

// drain does what kubectl drain does, for at most the given time: cordon, then
// evict everything but DaemonSet pods until it is gone.
func (l *lab) drain(node string, limit time.Duration) bool {
	l.Helper()
	ctx := l.Context()
	if _, err := l.client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{}); err != nil {
		l.Fatal(err)
	}
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		pods, err := l.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
		if err != nil {
			l.Fatal(err)
		}
		left := 0
		for _, p := range pods.Items {
			if o := metav1.GetControllerOf(&p); o != nil && o.Kind == "DaemonSet" {
				continue
			}
			left++
			err := l.client.PolicyV1().Evictions(p.Namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace}})
			if err != nil && !apierrors.IsTooManyRequests(err) && !apierrors.IsNotFound(err) {
				l.Fatal(err)
			}
		}
		if left == 0 {
			return true
		}
	}
	return false
}

func (l *lab) recreate(old, fresh string) {
	l.Helper()
	if _, err := l.fleet.Recreate(l.Context(), old, hollow.NodeSpec{Name: fresh}); err != nil {
		l.Fatal(err)
	}
	l.usable(fresh)
}

// copies counts the nodes with the volume's bytes.
func (l *lab) copies(volume string) int {
	l.Helper()
	t, err := l.standin.Truth()
	if err != nil {
		l.Fatal(err)
	}
	nodes := map[string]bool{}
	for _, c := range t[volume] {
		if c.Sum == scenario.Sum([]byte("data of "+volume)) {
			nodes[c.Node] = true
		}
	}
	return len(nodes)
}

func (l *lab) dump() string {
	var b strings.Builder
	vs, err := l.longhorn.LonghornV1beta2().Volumes(standin.Namespace).List(context.WithoutCancel(l.Context()), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, v := range vs.Items {
		fmt.Fprintf(&b, "%s %s/%s on %q\n", v.Name, v.Status.State, v.Status.Robustness, v.Status.CurrentNodeID)
		for _, r := range l.replicas(v.Name) {
			fmt.Fprintf(&b, "  %s %s %s failed=%q\n", r.Name, r.Spec.NodeID, r.Status.CurrentState, r.Spec.FailedAt)
		}
	}
	pods, err := l.client.CoreV1().Pods("").List(context.WithoutCancel(l.Context()), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, p := range pods.Items {
		if p.Status.Phase != corev1.PodRunning {
			fmt.Fprintf(&b, "pod %s/%s on %q: %s %v\n", p.Namespace, p.Name, p.Spec.NodeName, p.Status.Phase, p.Status.Conditions)
		}
	}
	fmt.Fprintf(&b, "stand-in: %v\n", l.standin.Err())
	return b.String()
}
