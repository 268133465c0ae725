// SPDX-License-Identifier: Apache-2.0

package standin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func TestStandin_VolumesLiveThroughPods(t *testing.T) {
	l := newLab(t, standin.Options{}, "w-1", "w-2", "w-3")
	vols := names("vol", 6)
	l.fill(2, 1, vols...)
	l.stamp("filled")
	for _, v := range vols {
		if got := l.copies(v); got != 2 {
			t.Errorf("%s lies on %d nodes, want 2", v, got)
		}
	}
	if got := len(l.standin.Formats()); got != len(vols) {
		t.Errorf("%d file systems were made, want one for each of %d volumes: %v", got, len(vols), l.standin.Formats())
	}
	if data, err := l.standin.Read(vols[0]); err != nil || string(data) != "data of "+vols[0] {
		t.Errorf("read %q, %v", data, err)
	}
	l.scale(vols[3], 1)
	l.until(vols[3], "attached/healthy")
	l.eventually("the data to be back", func() string {
		data, err := l.standin.Read(vols[3])
		if err != nil {
			return err.Error()
		}
		if string(data) != "data of "+vols[3] {
			t.Fatalf("read %q", data)
		}
		return ""
	})
	if v := l.volume(vols[3]); v.Status.KubernetesStatus.PVCName != vols[3] || len(v.Status.KubernetesStatus.WorkloadsStatus) != 1 {
		t.Errorf("the volume does not know its claim and pod: %+v", v.Status.KubernetesStatus)
	}
	if err := l.standin.Err(); err != nil {
		t.Error(err)
	}
}

func (l *lab) patchNode(name, patch string) {
	l.Helper()
	_, err := l.longhorn.LonghornV1beta2().Nodes(standin.Namespace).Patch(l.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) patchTickets(volume, patch string) {
	l.Helper()
	_, err := l.longhorn.LonghornV1beta2().VolumeAttachments(standin.Namespace).Patch(l.Context(), volume, types.MergePatchType,
		[]byte(`{"spec":{"attachmentTickets":`+patch+`}}`), metav1.PatchOptions{})
	if err != nil {
		l.Fatal(err)
	}
}

func maintenance(node string) string {
	return `{"safe-roll":{"id":"safe-roll","type":"longhorn-api","nodeID":"` + node + `","parameters":{"disableFrontend":"true"}}}`
}

func (l *lab) setting(name, value string) {
	l.Helper()
	_, err := l.longhorn.LonghornV1beta2().Settings(standin.Namespace).Patch(l.Context(), name, types.MergePatchType, []byte(`{"value":"`+value+`"}`), metav1.PatchOptions{})
	if err != nil {
		l.Fatal(err)
	}
}

func TestStandin_EvictionMovesDetachedVolumesAndTheBytesToo(t *testing.T) {
	l := newLab(t, standin.Options{}, "w-1", "w-2", "w-3")
	vols := names("vol", 8)
	l.fill(2, 1, vols...)
	l.stamp("filled")
	l.patchNode("w-1", `{"spec":{"allowScheduling":false,"evictionRequested":true}}`)
	l.eventually("w-1 empty and all volumes as before", func() string {
		for i, v := range vols {
			for _, r := range l.replicas(v) {
				if r.Spec.NodeID == "w-1" {
					return r.Name + " is on it"
				}
			}
			want := longhorn.VolumeStateDetached
			if i == 0 {
				want = longhorn.VolumeStateAttached
			}
			if s := l.volume(v).Status.State; s != want {
				return v + " is " + string(s)
			}
		}
		return ""
	})
	l.stamp("evicted")
	truth, err := l.standin.Truth()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vols {
		for _, c := range truth[v] {
			if c.Node == "w-1" {
				t.Errorf("%s was left on w-1", c.Directory)
			}
		}
		if l.copies(v) != 2 || len(l.replicas(v)) != 2 {
			t.Errorf("%s: %d copies, %d replicas; want 2 and 2", v, l.copies(v), len(l.replicas(v)))
		}
	}
	if !l.drain("w-1", 30*time.Second) {
		t.Error("an empty node could not be drained")
	}
	l.stamp("drained")
}

func TestStandin_ReplacingNodesUnderTheirNamesLosesDetachedData(t *testing.T) {
	workers := []string{"w-1", "w-2", "w-3"}
	l := newLab(t, standin.Options{Settings: map[string]string{"replica-replenishment-wait-interval": "1"}}, workers...)
	vols := names("vol", 9)
	l.fill(2, 2, vols...)
	l.stamp("filled")
	for _, n := range workers {
		if !l.drain(n, 40*time.Second) {
			t.Fatalf("the drain of %s was blocked: %s\n%s", n, l.standin.WhyBudget(n), l.dump())
		}
		l.stamp(n + " drained")
		l.recreate(n, n)
		for _, v := range vols[:2] {
			l.until(v, "attached/healthy")
		}
		l.stamp(n + " recreated and settled")
	}
	for i, v := range vols {
		if got, want := l.copies(v) > 0, i < 2; got != want {
			t.Errorf("%s: data exists: %t, want %t", v, got, want)
		}
		for _, r := range l.replicas(v) {
			if i >= 2 && (r.Spec.FailedAt != "" || r.Spec.HealthyAt == "") {
				t.Errorf("%s gives the loss away", r.Name)
			}
		}
	}
	lost, err := l.standin.Lost(l.expected)
	if err != nil || len(lost) != 7 {
		t.Errorf("the stand-in says that %v are lost, %v; want seven", lost, err)
	}
	l.scale(vols[8], 1)
	time.Sleep(4 * time.Second)
	if s := l.volume(vols[8]).Status.State; s != longhorn.VolumeStateAttaching {
		t.Errorf("a phantom was attached: %s", s)
	}
}

func TestStandin_APhantomOfAGoneNodeBlocksADrainUntilItIsHealed(t *testing.T) {
	l := newLab(t, standin.Options{Settings: map[string]string{"replica-replenishment-wait-interval": "1"}}, "w-1", "w-2", "w-3")
	vols := names("vol", 6)
	l.fill(2, 0, vols...)
	l.recreate("w-1", "w-4")
	if l.drain("w-2", 5*time.Second) {
		t.Fatal("w-2 was drained although phantoms name a node that is gone")
	}
	if why := l.standin.WhyBudget("w-2"); !strings.Contains(why, "not found") {
		t.Errorf("the reason is %q", why)
	}
	if _, err := l.client.CoreV1().Nodes().Patch(t.Context(), "w-2", types.MergePatchType, []byte(`{"spec":{"unschedulable":null}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, v := range vols {
		l.patchTickets(v, maintenance("w-3"))
	}
	for _, v := range vols {
		l.until(v, "attached/healthy")
	}
	l.stamp("healed")
	if got := len(l.standin.Formats()); got != len(vols) {
		t.Errorf("%d file systems were made; a maintenance attach makes none", got)
	}
	for _, v := range vols {
		l.patchTickets(v, `{"safe-roll":null}`)
	}
	for _, v := range vols {
		l.until(v, "detached/unknown")
		if l.copies(v) != 2 {
			t.Errorf("%s lies on %d nodes", v, l.copies(v))
		}
	}
	if !l.drain("w-2", 30*time.Second) {
		t.Errorf("still blocked: %s", l.standin.WhyBudget("w-2"))
	}
	l.stamp("drained")
}

func TestStandin_Version14FormatsAVolumeThatHasNoDataLeft(t *testing.T) {
	l := newLab(t, standin.Options{Behaviour: model.V140()}, "w-1", "w-2")
	l.fill(2, 0, "vol")
	for _, n := range []string{"w-1", "w-2"} {
		l.recreate(n, n)
	}
	l.scale("vol", 1)
	l.until("vol", "attached/healthy")
	l.eventually("the second file system", func() string {
		if got := len(l.standin.Formats()); got != 2 {
			return fmt.Sprint(got)
		}
		return ""
	})
	l.eventually("a readable volume", func() string {
		data, err := l.standin.Read("vol")
		if err != nil {
			return err.Error()
		}
		if len(data) != 0 {
			t.Fatalf("read %q", data)
		}
		return ""
	})
}

func TestStandin_UsersEditsAndTheModelsMeet(t *testing.T) {
	l := newLab(t, standin.Options{}, "w-1", "w-2", "w-3")
	l.fill(2, 0, "vol")
	lh := l.longhorn.LonghornV1beta2()
	l.setting("replica-replenishment-wait-interval", "0")
	l.standin.SetRebuild("vol", model.Rebuild{Failure: "no space left on device"})
	gone := l.replicas("vol")[0]
	if err := lh.Replicas(standin.Namespace).Delete(t.Context(), gone.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the deleted replica to be gone with its data", func() string {
		if got := l.copies("vol"); got != 1 || len(l.replicas("vol")) != 1 {
			return fmt.Sprintf("%d copies, %d objects", got, len(l.replicas("vol")))
		}
		return ""
	})
	l.patchTickets("vol", maintenance("w-2"))
	l.until("vol", "attached/degraded")
	time.Sleep(2 * time.Second)
	if l.copies("vol") != 1 {
		t.Error("a failing rebuild made a copy")
	}
	l.standin.SetRebuild("vol", model.Rebuild{})
	l.until("vol", "attached/healthy")
	if l.copies("vol") != 2 {
		t.Errorf("%d copies after the rebuild", l.copies("vol"))
	}
	if err := lh.Volumes(standin.Namespace).Delete(t.Context(), "vol", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.eventually("the deleted volume to be gone with all that belongs to it", func() string {
		_, err := lh.Volumes(standin.Namespace).Get(t.Context(), "vol", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Sprint("the volume is there: ", err)
		}
		if rs := l.replicas("vol"); len(rs) > 0 {
			return fmt.Sprint(len(rs), " replicas")
		}
		return ""
	})
	if truth, err := l.standin.Truth(); err != nil || len(truth["vol"]) != 0 {
		t.Errorf("its directories: %v, %v", truth["vol"], err)
	}
	if err := l.standin.Err(); err != nil {
		t.Error(err)
	}
}
