// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

func nodes() plugin.Kind { return plugin.Kind{Version: "v1", Resource: "nodes", Name: "Node"} }
func pods() plugin.Kind  { return plugin.Kind{Version: "v1", Resource: "pods", Name: "Pod"} }

// setSchedulable cordons a node that is not cordoned, or takes that back. The
// server omits spec.unschedulable where it is false.
func (a *Actor) setSchedulable(ctx context.Context, d decide.Action) (decide.Outcome, error) {
	ch := plugin.Change{Object: plugin.Object{Kind: nodes(), Name: d.Node.Name, UID: d.Node.UID}}
	m := impose
	if d.Verb == decide.Cordon {
		ch.Patch = []byte(`{"spec":{"unschedulable":true}}`)
		ch.Expect = []cluster.Fact{{Name: "spec.unschedulable", Value: ""}}
		ch.Says = "node " + d.Node.Name + " cordoned"
	} else {
		m = restore
		ch.Patch = []byte(`{"spec":{"unschedulable":null}}`)
		ch.Expect = []cluster.Fact{{Name: "spec.unschedulable", Value: "true"}}
		ch.Says = "node " + d.Node.Name + " uncordoned"
	}
	return apply(ctx, a.core, []plugin.Change{ch}, m)
}

// deleteNode deletes the Node object of that UID. The version is left out of
// the preconditions: what permits the deletion is not in the Node, and its
// heartbeat moves the version.
func (a *Actor) deleteNode(ctx context.Context, ref cluster.NodeRef) (decide.Outcome, error) {
	p := path(nodes(), "", ref.Name)
	uid := types.UID(ref.UID)
	gonePerformed := decide.Outcome{Result: decide.Performed, Detail: "node " + ref.Name + " is gone already"}
	err := a.core.delete(ctx, p, metav1.Preconditions{UID: &uid})
	switch {
	case err == nil:
		return decide.Outcome{Result: decide.Performed, Detail: "node " + ref.Name + " deleted"}, nil
	case classify(err) == gone:
		return gonePerformed, nil
	case classify(err) == conflict:
		exists, readErr := a.exists(ctx, nodes(), "", cluster.PodRef{Name: ref.Name, UID: ref.UID})
		if readErr == nil && !exists {
			return gonePerformed, nil
		}
	}
	return ofChange("node "+ref.Name, err)
}

// bootOf reads the boot of the node of that UID, and whether it is there.
func (a *Actor) bootOf(ctx context.Context, ref cluster.NodeRef) (boot string, here bool, err error) {
	o, err := a.core.get(ctx, path(nodes(), "", ref.Name))
	switch {
	case err != nil && classify(err) == gone:
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read %s: %w", ref.Name, err)
	}
	here = valueAt(o, []string{"metadata", "uid"}) == string(ref.UID)
	return valueAt(o, []string{"status", "nodeInfo", "bootID"}), here, nil
}

// exists reads whether the object of that name and UID exists.
func (a *Actor) exists(ctx context.Context, k plugin.Kind, namespace string, ref cluster.PodRef) (bool, error) {
	o, err := a.core.get(ctx, path(k, namespace, ref.Name))
	if err != nil {
		if classify(err) == gone {
			return false, nil
		}
		return false, fmt.Errorf("read %s: %w", ref.Name, err)
	}
	return valueAt(o, []string{"metadata", "uid"}) == string(ref.UID), nil
}
