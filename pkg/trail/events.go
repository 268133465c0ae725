// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

const (
	component = "safe-roll"
	// nodeNamespace is where Events about Nodes lie, which are in none.
	nodeNamespace = metav1.NamespaceDefault
	// longestMessage is what the API server takes (core/v1 Event validation).
	longestMessage = 1024
	// waitingEvents bounds those that were not sent yet, requestLimit one
	// request, flushLimit the last words.
	waitingEvents = 256
	requestLimit  = 5 * time.Second
	flushLimit    = 10 * time.Second
)

// Events writes what a roll does as Events of the cluster.
type Events struct {
	set      kubernetes.Interface
	instance string
	queue    chan trace
	done     chan struct{}
	stop     context.CancelCauseFunc

	mu      sync.Mutex
	err     error
	dropped int
}

// NewEvents returns an Events that writes through the clientset; who is the
// instance that reports. Close ends it. ctx bounds it too.
func NewEvents(ctx context.Context, set kubernetes.Interface, who string) *Events {
	// The last words of a roll that was interrupted are written too.
	ctx, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	e := &Events{set: set, instance: who, queue: make(chan trace, waitingEvents), done: make(chan struct{}), stop: stop}
	go e.write(ctx)
	return e
}

// Rights are what Events ask for.
func Rights() []cluster.Right {
	return []cluster.Right{
		{Resource: "events", Verbs: []string{"create"}, For: "to leave a trace on nodes and claims"},
		{Resource: "persistentvolumeclaims", Verbs: []string{"get"}, For: "to leave a trace on nodes and claims"},
	}
}

// Watch is a roll.Watcher. It never blocks: what does not fit into the queue
// is counted and left out.
func (e *Events) Watch(r roll.Report) {
	for _, t := range traces(r) {
		t.at = time.Now()
		select {
		case e.queue <- t:
		default:
			e.mu.Lock()
			e.dropped++
			e.mu.Unlock()
		}
	}
}

// Close writes what is left, for a limited time. It returns the first error,
// or that some were left out; neither is a failure of the roll.
func (e *Events) Close() error {
	close(e.queue)
	t := time.AfterFunc(flushLimit, func() { e.stop(errors.New("the limit of the last events")) })
	<-e.done
	t.Stop()
	e.stop(nil)
	if e.dropped > 0 {
		e.err = errors.Join(e.err, fmt.Errorf("%d events were left out because the server was slow", e.dropped))
	}
	return e.err
}

func (e *Events) write(ctx context.Context) {
	defer close(e.done)
	for t := range e.queue {
		if err := e.create(ctx, t); err != nil && e.err == nil {
			e.err = err
		}
	}
}

func (e *Events) create(ctx context.Context, t trace) error {
	ctx, cancel := context.WithTimeoutCause(ctx, requestLimit, errors.New("the limit of one event"))
	defer cancel()
	uid := t.uid
	if t.kind == kindClaim {
		// kubectl describe finds events by UID, and a volume does not carry its
		// claim's.
		claim, err := e.set.CoreV1().PersistentVolumeClaims(t.namespace).Get(ctx, t.name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("an event on claim %s/%s: %w", t.namespace, t.name, err)
		}
		uid = claim.UID
	}
	_, err := e.set.CoreV1().Events(t.namespace).Create(ctx, e.event(t, uid), metav1.CreateOptions{FieldManager: "kubectl-safe-roll"})
	if err != nil {
		return fmt.Errorf("an event on %s %s: %w", t.kind, t.name, err)
	}
	return nil
}

func (e *Events) event(t trace, uid types.UID) *corev1.Event {
	ref := corev1.ObjectReference{Kind: t.kind, APIVersion: "v1", Name: t.name, UID: uid}
	if t.kind == kindClaim {
		ref.Namespace = t.namespace
	}
	kind := corev1.EventTypeNormal
	if t.warning {
		kind = corev1.EventTypeWarning
	}
	at := metav1.NewTime(t.at)
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: "safe-roll-", Namespace: t.namespace},
		InvolvedObject: ref, Reason: t.reason, Message: shorten(t.message), Type: kind,
		Source:         corev1.EventSource{Component: component},
		FirstTimestamp: at, LastTimestamp: at, Count: 1,
		ReportingController: component, ReportingInstance: shorten(e.instance)[:min(len(e.instance), 128)],
	}
}

func shorten(s string) string {
	if len(s) <= longestMessage {
		return s
	}
	end := longestMessage - 3
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + "..."
}
