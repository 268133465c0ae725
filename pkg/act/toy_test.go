// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

const (
	driver     = "toy.example.com"
	toyNode    = "/apis/toy.example.com/v1/namespaces/toy/nodes/worker-1"
	toyTickets = "/apis/toy.example.com/v1/namespaces/toy/tickets/v"
	toyReplica = "/apis/toy.example.com/v1/namespaces/toy/replicas/v-r-1"
)

// toy is a storage with a node, tickets named like volumes, and replicas.
type toy struct{}

func kind(resource, name string) plugin.Kind {
	return plugin.Kind{Group: driver, Version: "v1", Resource: resource, Name: name, Need: plugin.Needed}
}

func (toy) Driver() string           { return driver }
func (toy) DefaultNamespace() string { return "toy" }
func (toy) Kinds() []plugin.Kind {
	return []plugin.Kind{kind("nodes", "Node"), kind("tickets", "Ticket"), kind("replicas", "Replica")}
}
func (toy) NewReader() plugin.Reader { return nil }
func (toy) Codes() []plugin.CodeDoc  { return nil }
func (toy) object(k plugin.Kind, name string, uid cluster.UID) plugin.Object {
	return plugin.Object{Kind: k, Namespace: "toy", Name: name, UID: uid}
}

// Connect returns a client whose scheme knows nothing at all.
func (toy) Connect(cfg *rest.Config) (rest.Interface, error) {
	c := rest.CopyConfig(cfg)
	c.GroupVersion = &schema.GroupVersion{Group: driver, Version: "v1"}
	c.APIPath = "/apis"
	c.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	return rest.RESTClientFor(c)
}

func (y toy) Place(_ *cluster.Storage, n cluster.StorageNode, was, to cluster.Placement) ([]plugin.Change, error) {
	fact := func(name string, b bool) cluster.Fact {
		return cluster.Fact{Name: "spec." + name, Value: fmt.Sprint(b)}
	}
	return []plugin.Change{{
		Object: y.object(kind("nodes", "Node"), n.Name, n.UID),
		Patch:  fmt.Appendf(nil, `{"spec":{"accept":%v,"evacuate":%v}}`, to.Accept, to.Evacuate),
		Expect: []cluster.Fact{fact("accept", was.Accept), fact("evacuate", was.Evacuate)},
		Says:   "storage node " + n.Name + " accepts " + fmt.Sprint(to),
	}}, nil
}

func (y toy) Wake(_ *cluster.Storage, v cluster.Volume, node, id string) ([]plugin.Change, error) {
	if v.State == cluster.Attached {
		return nil, errors.New("the volume is attached")
	}
	return []plugin.Change{{
		Object: y.object(kind("tickets", "Ticket"), v.Name, ""),
		Patch:  fmt.Appendf(nil, `{"spec":{"tickets":{%q:{"node":%q}}}}`, id, node),
		Expect: []cluster.Fact{
			{Name: "metadata.ownerReferences.0.uid", Value: string(v.UID)},
			{Name: "spec.tickets." + strings.ReplaceAll(id, ".", `\.`), Value: ""},
		},
		Says: "volume " + v.Name + " held",
	}}, nil
}

// Sleep knows nothing to do for a hold that the facts do not show.
func (y toy) Sleep(_ *cluster.Storage, v cluster.Volume, id string) ([]plugin.Change, error) {
	if !slices.ContainsFunc(v.Holds, func(h cluster.Hold) bool { return h.ID == id }) {
		return nil, nil
	}
	return []plugin.Change{{
		Object: y.object(kind("tickets", "Ticket"), v.Name, ""),
		Patch:  fmt.Appendf(nil, `{"spec":{"tickets":{%q:null}}}`, id),
		Expect: []cluster.Fact{{Name: "metadata.ownerReferences.0.uid", Value: string(v.UID)}},
		Says:   "volume " + v.Name + " let go",
	}}, nil
}

func (y toy) Prune(_ *cluster.Storage, _ cluster.Volume, r cluster.Replica) ([]plugin.Change, error) {
	return []plugin.Change{{
		Object: y.object(kind("replicas", "Replica"), r.Name, r.UID),
		Delete: true,
		Expect: []cluster.Fact{{Name: "spec.node", Value: r.Node}},
		Says:   "replica " + r.Name + " removed",
	}}, nil
}

// seed makes the storage's objects.
func (w *world) seed() {
	w.Create(toyNode, fakeapi.Object{"metadata": fakeapi.Object{"uid": "sn-1"}, "spec": fakeapi.Object{"accept": true, "evacuate": false}})
	w.Create(toyTickets, fakeapi.Object{
		"metadata": fakeapi.Object{"ownerReferences": []any{fakeapi.Object{"uid": "vol-1"}}},
		"spec":     fakeapi.Object{"tickets": fakeapi.Object{"csi": fakeapi.Object{"node": "worker-2"}}},
	})
	w.Create(toyReplica, fakeapi.Object{"metadata": fakeapi.Object{"uid": "rep-1"}, "spec": fakeapi.Object{"node": "worker-1"}})
}

// facts are what the deeds are decided from.
func (w *world) facts() *cluster.Snapshot {
	return &cluster.Snapshot{Storages: []cluster.Storage{{
		Driver: driver,
		Nodes:  []cluster.StorageNode{{Name: "worker-1", UID: "sn-1"}},
		Volumes: []cluster.Volume{{
			Name: "v", UID: "vol-1", State: cluster.Detached,
			Replicas: []cluster.Replica{{Name: "v-r-1", UID: "rep-1", Node: "worker-1"}},
		}},
	}}}
}

func (w *world) place() decide.Action {
	return decide.Action{
		Verb: decide.Place, Driver: driver, StorageNode: decide.ObjectRef{Name: "worker-1", UID: "sn-1"},
		Was: cluster.Placement{Accept: true}, To: cluster.Placement{Evacuate: true},
	}
}

func (w *world) wake() decide.Action {
	return decide.Action{
		Verb: decide.Wake, Driver: driver, Volume: decide.ObjectRef{Name: "v", UID: "vol-1"},
		Hold: "safe-roll.r1", HoldNode: "worker-2",
	}
}

func (w *world) prune() decide.Action {
	return decide.Action{
		Verb: decide.Prune, Driver: driver, Volume: decide.ObjectRef{Name: "v", UID: "vol-1"},
		Replica: decide.ObjectRef{Name: "v-r-1", UID: "rep-1"},
	}
}

func (w *world) dump() string {
	var b strings.Builder
	for _, p := range w.Paths() {
		o, _ := json.Marshal(w.Get(p))
		fmt.Fprintf(&b, "%s %s\n", p, o)
	}
	return b.String()
}
