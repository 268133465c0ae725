// SPDX-License-Identifier: Apache-2.0

package standin_test

import (
	"fmt"
	"sync"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// fill creates volumes, attaches each to a pod of its own, writes its name into
// it, and ends the pod of all but the first few. It works on all at once.
func (l *lab) fill(replicas, attached int, names ...string) {
	l.Helper()
	var group sync.WaitGroup
	for i, name := range names {
		l.expected[name] = scenario.Sum([]byte("data of " + name))
		group.Go(func() { l.fillOne(name, replicas, i < attached) })
	}
	group.Wait()
	if l.Failed() {
		l.FailNow()
	}
	for i, name := range names {
		want := "detached/unknown"
		if i < attached {
			want = "attached/healthy"
		}
		l.until(name, want)
	}
}

func (l *lab) fillOne(name string, replicas int, keep bool) {
	ctx := l.Context()
	v := &longhorn.Volume{ObjectMeta: metav1.ObjectMeta{Name: name}}
	raw := fmt.Sprintf(`{"apiVersion":"longhorn.io/v1beta2","kind":"Volume","metadata":{"name":%q},"spec":{"size":"1073741824","numberOfReplicas":%d,"frontend":"blockdev","dataEngine":"v1","accessMode":"rwo"}}`, name, replicas)
	err := l.longhorn.LonghornV1beta2().RESTClient().Post().Namespace(standin.Namespace).Resource("volumes").Body([]byte(raw)).Do(ctx).Into(v)
	if err != nil {
		l.Errorf("create %s: %v", name, err)
		return
	}
	claim := hollow.Claim{Namespace: "default", Name: name, Volume: name, Size: 1 << 30}
	if err := claim.Create(ctx, l.client); err != nil {
		l.Error(err)
		return
	}
	w := hollow.Workload{Namespace: "default", Name: name, Replicas: 1, Claim: name}
	if _, err := l.client.AppsV1().StatefulSets("default").Create(ctx, w.StatefulSet(), metav1.CreateOptions{}); err != nil {
		l.Error(err)
		return
	}
	data := []byte("data of " + name)
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		vol, err := l.longhorn.LonghornV1beta2().Volumes(standin.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && vol.Status.Robustness == longhorn.VolumeRobustnessHealthy {
			if err = l.standin.Write(name, data); err == nil {
				break
			}
		}
		if time.Now().After(limit) {
			l.Errorf("%s was never writable: %v", name, err)
			return
		}
	}
	if !keep {
		l.scale(name, 0)
	}
}

func (l *lab) scale(name string, replicas int) {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	if _, err := l.client.AppsV1().StatefulSets("default").Patch(l.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		l.Error(err)
	}
}

func names(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%02d", prefix, i+1))
	}
	return out
}
