// SPDX-License-Identifier: Apache-2.0

package assess_test

import (
	"bytes"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubectl/pkg/drain"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// kubectlPod is a random pod, as kubectl sees it and as a snapshot has it.
type kubectlPod struct {
	real  corev1.Pod
	facts cluster.Pod
}

func drawPod(t *rapid.T, name string) kubectlPod {
	owner := rapid.SampledFrom([]cluster.Owner{
		cluster.OwnerNone, cluster.OwnerDaemonSet, cluster.OwnerStatic, cluster.OwnerOther, cluster.OwnerOrphan,
	}).Draw(t, "owner")
	phase := rapid.SampledFrom([]corev1.PodPhase{
		corev1.PodRunning, corev1.PodPending, corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown,
	}).Draw(t, "phase")
	emptyDir := rapid.Bool().Draw(t, "emptyDir")
	p := kubectlPod{
		real: corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name, UID: "u"},
			Spec:       corev1.PodSpec{NodeName: "w1"}, Status: corev1.PodStatus{Phase: phase},
		},
		facts: cluster.Pod{
			Ref: cluster.PodRef{Namespace: "apps", Name: name, UID: "u"}, Node: "w1", Owner: owner,
			Finished: phase == corev1.PodSucceeded || phase == corev1.PodFailed, EmptyDir: emptyDir,
		},
	}
	if emptyDir {
		p.real.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	}
	own := func(version, kind, of string) {
		yes := true
		p.real.OwnerReferences = []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: of, UID: "o", Controller: &yes}}
	}
	switch owner {
	case cluster.OwnerDaemonSet:
		own("apps/v1", "DaemonSet", "here")
	case cluster.OwnerOrphan:
		own("apps/v1", "DaemonSet", "gone")
	case cluster.OwnerOther:
		own(rapid.SampledFrom([]string{"apps/v1", "example.org/v1"}).Draw(t, "version"), "ReplicaSet", "here")
	case cluster.OwnerStatic:
		own("v1", "Node", "w1")
		p.real.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"}
	}
	return p
}

// kubectl drain --ignore-daemonsets, asked about the same pods with --force
// and --delete-emptydir-data where their risks are accepted, evicts the same
// ones and refuses the same ones.
func TestDrain_ChoosesWhatKubectlChooses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		force, data := rapid.Bool().Draw(t, "force"), rapid.Bool().Draw(t, "delete-emptydir-data")
		objects := []runtime.Object{&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "here"}}}
		s := &cluster.Snapshot{Nodes: []cluster.Node{{Ref: cluster.NodeRef{Name: "w1", UID: "n"}}}}
		for i := range rapid.IntRange(0, 4).Draw(t, "pods") {
			p := drawPod(t, string(rune('a'+i)))
			objects, s.Pods = append(objects, &p.real), append(s.Pods, p.facts)
		}
		helper := drain.Helper{
			Ctx: t.Context(), Client: fake.NewClientset(objects...), IgnoreAllDaemonSets: true,
			Force: force, DeleteEmptyDirData: data, Out: &bytes.Buffer{}, ErrOut: &bytes.Buffer{},
		}
		list, errs := helper.GetPodsForDeletion("w1")
		p := policy.Default()
		if force {
			p.Accepted = append(p.Accepted, policy.Risk{Code: assess.PodUnmanaged}, policy.Risk{Code: assess.PodDaemonSetGone})
		}
		if data {
			p.Accepted = append(p.Accepted, policy.Risk{Code: assess.PodEmptyDir})
		}
		set := assess.Drain(s, p, s.Nodes[0].Ref)
		if (len(errs) > 0) != (len(set.Blocked) > 0) {
			t.Fatalf("kubectl refuses with %v, we with %v", errs, set.Blocked)
		}
		var theirs, ours []string
		for _, x := range list.Pods() {
			theirs = append(theirs, x.Name)
		}
		for _, x := range set.Go {
			ours = append(ours, x.Ref.Name)
		}
		slices.Sort(theirs)
		if !slices.Equal(theirs, ours) || len(set.Last) > 0 {
			t.Fatalf("kubectl evicts %v, we %v (and last %v)", theirs, ours, set.Last)
		}
	})
}
