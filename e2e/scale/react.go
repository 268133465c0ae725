// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// Reaction is how a program that waits, as a roll does, learns of a change.
type Reaction struct {
	Shape Shape
	// P50, P99 and Most are from the API server's answer to the change to the
	// decision by it.
	P50, P99, Most time.Duration
	Events         int
	// Idle is how long nothing happened, and Requests what was asked meanwhile.
	Idle     time.Duration
	Requests map[string]int64
	// Memory is the resident set after the first look, and at the end.
	MemoryFirst, MemoryLast int64
}

// waiter is what waits.
type waiter struct {
	observer *observe.Cluster
	plan     decide.Plan
	judger   assess.Judger
	asked    *counter
	seen     cluster.Revision
}

// counter counts requests by verb.
type counter struct{ list, watch, other atomic.Int64 }

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Method != http.MethodGet:
			c.other.Add(1)
		case r.URL.Query().Has("watch"):
			c.watch.Add(1)
		default:
			c.list.Add(1)
		}
		return next.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// React waits on the cluster as a roll does, for the time of idle without any
// change, and then for that many changes of one replica each.
func (t Trial) React(ctx context.Context, cfg *rest.Config, idle time.Duration, events int) (Reaction, error) {
	w := waiter{asked: &counter{}, plan: decide.Plan{Run: "bench", Policy: policy.Default(), Turns: []decide.PlannedTurn{{Node: cluster.NodeRef{Name: nodeName(0)}}}}}
	own := rest.CopyConfig(cfg)
	own.Wrap(w.asked.wrap)
	var err error
	if w.observer, err = observe.NewCluster(observe.Config{REST: own, Storages: plugins.All()}); err != nil {
		return Reaction{}, err
	}
	defer w.observer.Close()
	// Nothing else needs the namespace itself; a change in it does.
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return Reaction{}, err
	}
	space := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}}
	if _, err := set.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return Reaction{}, err
	}
	go t.keepAlive(ctx)
	out := Reaction{Shape: t.Shape, Events: events, Idle: idle}
	if err := w.look(ctx, cluster.Fresh); err != nil {
		return out, err
	}
	out.MemoryFirst = Resident(os.Getpid())
	list, watch := w.asked.list.Load(), w.asked.watch.Load()
	if err := w.wait(ctx, idle); err != nil {
		return out, err
	}
	out.Requests = map[string]int64{"lists": w.asked.list.Load() - list, "watches": w.asked.watch.Load() - watch}
	var took []time.Duration
	for i := range events {
		d, err := w.react(ctx, cfg, t.Shape, i)
		if err != nil {
			return out, err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	out.P50, out.P99, out.Most = took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	out.MemoryLast = Resident(os.Getpid())
	return out, nil
}

// keepAlive renews the nodes' leases as kubelets do.
func (t Trial) keepAlive(ctx context.Context) {
	for ctx.Err() == nil {
		if err := Renew(ctx, t.Etcd, t.Shape); err != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
		}
	}
}

// look looks, judges and decides, as a tick of a roll does.
func (w *waiter) look(ctx context.Context, f cluster.Freshness) error {
	s, err := w.observer.Observe(ctx, f)
	if err != nil {
		return err
	}
	w.seen = s.Revision
	j := w.judger.Judge(s, w.plan.Policy, time.Now().Add(s.Look.Skew))
	if d := decide.Next(w.plan, j, decide.Memory{}, j.Now); d == nil {
		return fmt.Errorf("no decision")
	}
	return nil
}

// wait looks and waits in turn for that long.
func (w *waiter) wait(ctx context.Context, d time.Duration) error {
	c, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for c.Err() == nil {
		if err := w.observer.Await(c, w.seen); err != nil && c.Err() == nil {
			return err
		}
		if c.Err() == nil {
			if err := w.look(ctx, cluster.Cached); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// react changes one replica of a volume that nobody uses, and returns how long
// it takes until the change is decided by.
func (w *waiter) react(ctx context.Context, cfg *rest.Config, s Shape, i int) (time.Duration, error) {
	client, err := longhorn.New().Connect(cfg)
	if err != nil {
		return 0, err
	}
	before := w.seen
	patch := fmt.Appendf(nil, `{"spec":{"evictionRequested":%t}}`, i%2 == 0)
	if err := client.Patch(types.MergePatchType).Namespace(system).Resource("replicas").Name(replicaName(i/2*10+5, 1)).Body(patch).Do(ctx).Error(); err != nil {
		return 0, err
	}
	return w.decided(ctx, before)
}

// decided waits until a look later than that one was decided by, and returns
// how long that took.
func (w *waiter) decided(ctx context.Context, before cluster.Revision) (time.Duration, error) {
	began := time.Now()
	for w.seen == before {
		if err := w.observer.Await(ctx, w.seen); err != nil {
			return 0, err
		}
		if err := w.look(ctx, cluster.Cached); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// Resident is a process's resident set, in bytes; 0 where there is none.
func Resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(raw), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscan(line, &kib); err != nil {
		return 0
	}
	return kib << 10
}
