// SPDX-License-Identifier: Apache-2.0

package standin_test

import (
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
)

func TestStandin_APowerCutIsSeenLateAndOutlivedByTheData(t *testing.T) {
	l := newLab(t, standin.Options{}, "w-1", "w-2", "w-3")
	l.fill(2, 1, "busy", "idle")
	off := l.volume("busy").Status.CurrentNodeID
	for _, r := range l.replicas("busy") {
		if r.Spec.NodeID != off {
			off = r.Spec.NodeID
			break
		}
	}
	if off == l.volume("busy").Status.CurrentNodeID {
		t.Fatal("both replicas are with the engine")
	}
	if err := l.fleet.PowerOff(off); err != nil {
		t.Fatal(err)
	}
	l.until("busy", "attached/degraded")
	n, err := l.longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(t.Context(), off, metav1.GetOptions{})
	if err != nil || n.Status.Conditions[0].Status != longhorn.ConditionStatusTrue {
		t.Errorf("Longhorn's node is %v, %v; Kubernetes has not noticed yet", n.Status.Conditions[0], err)
	}
	l.eventually("Longhorn to see the node down", func() string {
		n, err := l.longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(t.Context(), off, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if c := n.Status.Conditions[0]; c.Reason != longhorn.NodeConditionReasonKubernetesNodeNotReady {
			return c.Reason
		}
		return ""
	})
	if err := l.fleet.PowerOn(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	l.usableAgain(off)
	l.until("busy", "attached/healthy") // the failed replica is used again
	if got := len(l.replicas("busy")); got != 2 {
		t.Errorf("%d replica objects, want the two old ones", got)
	}
	l.scale("idle", 1)
	l.until("idle", "attached/healthy")
	if l.copies("idle") != 2 || l.copies("busy") < 2 {
		t.Errorf("%d copies of idle, %d of busy", l.copies("idle"), l.copies("busy"))
	}
}

func TestStandin_AnAPIServerThatGoesAwayIsWaitedFor(t *testing.T) {
	l := newLab(t, standin.Options{}, "w-1", "w-2")
	l.fill(2, 0, "vol")
	l.cluster.StopAPIServer()
	time.Sleep(time.Second)
	if err := l.cluster.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.usableAgain("w-1", "w-2")
	l.scale("vol", 1)
	l.until("vol", "attached/healthy")
	l.eventually("no error", func() string {
		if err := l.standin.Err(); err != nil {
			return err.Error()
		}
		return ""
	})
}
