// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

const nodePath = "/api/v1/nodes/worker-1"

// world is an actor over a server with the node worker-1.
type world struct {
	*fakeapi.Server
	actor *act.Actor
	node  cluster.NodeRef
	out   bytes.Buffer
}

func newWorld(t *testing.T, change ...func(*act.Config)) *world {
	t.Helper()
	w := &world{Server: fakeapi.Start(t)}
	w.node = cluster.NodeRef{Name: "worker-1", UID: cluster.UID(w.Create(nodePath, fakeapi.Object{"spec": fakeapi.Object{}}))}
	cfg := act.Config{
		REST: w.Config(), Storages: []plugin.Storage{toy{}}, Run: "r1",
		CommandLimit: 20 * time.Second, RequestTimeout: 5 * time.Second, Out: &w.out, Err: &w.out,
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if w.actor, err = act.New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// do performs the deed and fails the test unless it ends with the result.
func (w *world) do(t *testing.T, a decide.Action, want decide.Result) decide.Outcome {
	t.Helper()
	o, err := w.actor.Perform(t.Context(), w.facts(), a)
	if err != nil {
		t.Fatalf("%s: %v", a.Verb, err)
	}
	if o.Result != want {
		t.Fatalf("%s: %s (%s), want %s", a.Verb, o.Result, o.Detail, want)
	}
	return o
}

// fails performs the deed and returns the error that it must end with.
func (w *world) fails(t *testing.T, a decide.Action) string {
	t.Helper()
	o, err := w.actor.Perform(t.Context(), w.facts(), a)
	if err == nil {
		t.Fatalf("%s: %s (%s), want an error", a.Verb, o.Result, o.Detail)
	}
	return err.Error()
}

// sent returns the calls with that method.
func (w *world) sent(method string) []fakeapi.Call {
	var found []fakeapi.Call
	for _, c := range w.Calls() {
		if c.Method == method {
			found = append(found, c)
		}
	}
	return found
}

// on has f decide the fate of every call with that method.
func (w *world) on(method string, f func() fakeapi.Fault) {
	w.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Method == method {
			return f()
		}
		return fakeapi.Fault{}
	})
}

func always(f fakeapi.Fault) func() fakeapi.Fault { return func() fakeapi.Fault { return f } }

// text returns the value at the keys, as it was stored.
func text(o fakeapi.Object, keys ...string) any {
	var v any = o
	for _, k := range keys {
		m, ok := v.(fakeapi.Object)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func contains(t *testing.T, s string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(s, p) {
			t.Errorf("%q does not say %q", s, p)
		}
	}
}

func TestPerform_WithoutAUIDNothingIsSent(t *testing.T) {
	w := newWorld(t)
	for _, a := range []decide.Action{
		{Verb: decide.Cordon, Node: cluster.NodeRef{Name: "worker-1"}},
		{Verb: decide.DeleteNode, Node: cluster.NodeRef{Name: "worker-1"}},
		{Verb: decide.RunCommand, Node: cluster.NodeRef{Name: "worker-1"}, Command: decide.CreateCommand},
		{Verb: decide.EvictPods, Pods: []cluster.PodRef{{Namespace: "a", Name: "b"}}},
		{Verb: decide.Place, Driver: driver, StorageNode: decide.ObjectRef{Name: "worker-1"}},
		{Verb: decide.Wake, Driver: driver, Volume: decide.ObjectRef{Name: "v"}, Hold: "h", HoldNode: "n"},
		{Verb: decide.Prune, Driver: driver, Volume: decide.ObjectRef{Name: "v", UID: "u"}, Replica: decide.ObjectRef{Name: "r"}},
	} {
		contains(t, w.fails(t, a), "has no UID")
	}
	contains(t, w.fails(t, decide.Action{Verb: "dance"}), `no such deed: "dance"`)
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestPerform_AfterAnInterruptionNothingBegins(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.actor.Perform(ctx, nil, decide.Action{Verb: decide.Cordon, Node: w.node}); err == nil {
		t.Error("a deed began after the interruption")
	}
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestPerform_AnInterruptionFinishesTheDeedInHand(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.on(http.MethodGet, func() fakeapi.Fault { cancel(); return fakeapi.Fault{} })
	o, err := w.actor.Perform(ctx, nil, decide.Action{Verb: decide.Cordon, Node: w.node})
	if err != nil || o.Result != decide.Performed {
		t.Errorf("the deed was cut off: %v %v", o, err)
	}
}

func TestPerform_ADeadlineIsHonoured(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	w.on(http.MethodPatch, always(fakeapi.Fault{Hold: make(chan struct{})}))
	began := time.Now()
	o, err := w.actor.Perform(ctx, nil, decide.Action{Verb: decide.Cordon, Node: w.node})
	if err != nil || o.Result != decide.Uncertain {
		t.Errorf("got %v %v, want Uncertain", o, err)
	}
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestPerform_EveryDryRunChangesNothing(t *testing.T) {
	w := newWorld(t, func(c *act.Config) {
		c.DryRun, c.Commands.Replace = act.DryRunServer, "echo ran >&2"
	})
	w.seed()
	pod := w.pod(t, "web-1")
	before := w.dump()
	for _, a := range []decide.Action{
		{Verb: decide.Cordon, Node: w.node},
		{Verb: decide.EvictPods, Pods: []cluster.PodRef{pod}},
		w.place(), w.wake(), w.prune(),
		{Verb: decide.RunCommand, Node: w.node, Command: decide.ReplaceCommand},
		{Verb: decide.DeleteNode, Node: w.node},
	} {
		w.do(t, a, decide.Performed)
	}
	if after := w.dump(); after != before {
		t.Errorf("a dry run changed something:\n%s\n%s", before, after)
	}
	if w.out.Len() > 0 {
		t.Errorf("a dry run ran the command: %s", w.out.String())
	}
}

func TestNew_RefusesCommandsWithoutALimit(t *testing.T) {
	_, err := act.New(act.Config{REST: fakeapi.Start(t).Config(), Commands: decide.Commands{Retire: "true"}})
	if err == nil || !strings.Contains(err.Error(), "command limit") {
		t.Errorf("got %v", err)
	}
}
