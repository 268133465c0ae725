// SPDX-License-Identifier: Apache-2.0

package placement_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	lh "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const (
	gib  = int64(1) << 30
	main = "/main/"
	more = "/more/"
)

// disks are the disks of all machines, by node and path. How much of a volume
// is written is decided beforehand.
type disks struct {
	at      map[string]*disk
	written map[string]int64 // by volume
}

type disk struct {
	uuid      string
	size      int64
	others    int64 // what is not Longhorn's
	directory map[string]model.Directory
}

func (d *disks) Mounted(node, path string) (model.Disk, bool) {
	x := d.at[node+path]
	if x == nil {
		return model.Disk{}, false
	}
	left := x.size - x.others
	for _, dir := range x.directory {
		left -= dir.Used
	}
	return model.Disk{UUID: x.uuid, Filesystem: strings.Trim(path, "/"), Maximum: x.size, Available: left}, true
}

// Changed cannot tell: the tests fill the disks as they like.
func (*disks) Changed() ([]model.Place, bool) { return nil, false }

func (d *disks) Label(node, path, uuid string) error {
	d.at[node+path].uuid = uuid
	return nil
}

func (d *disks) Stat(at model.Place) (model.Directory, bool) {
	dir, ok := d.at[at.Node+at.Path].directory[at.Name]
	return dir, ok
}

func (d *disks) Create(at model.Place, blank model.Directory) error {
	blank.Used = d.written[at.Name[:strings.LastIndex(at.Name, "-")]]
	d.at[at.Node+at.Path].directory[at.Name] = blank
	return nil
}

func (d *disks) Begin(at model.Place) error {
	dir := d.at[at.Node+at.Path].directory[at.Name]
	dir.Rebuilding = true
	d.at[at.Node+at.Path].directory[at.Name] = dir
	return nil
}

func (d *disks) Copy(from, to model.Place) error {
	d.at[to.Node+to.Path].directory[to.Name] = d.at[from.Node+from.Path].directory[from.Name]
	return nil
}

func (d *disks) Remove(at model.Place) error {
	if x := d.at[at.Node+at.Path]; x != nil {
		delete(x.directory, at.Name)
	}
	return nil
}

// world is a model with the least around it that it needs.
type world struct {
	t     *testing.T
	m     *model.Model
	disks *disks
	now   time.Time
	nodes map[string]model.NodeFacts
	pods  map[string]bool
	ids   int
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, disks: &disks{at: map[string]*disk{}, written: map[string]int64{}},
		now:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		nodes: map[string]model.NodeFacts{}, pods: map[string]bool{},
	}
	w.m = model.New(model.Options{Behaviour: model.V181(), Timing: model.FastTiming(), Seed: seed, DataPath: main}, w.disks)
	return w
}

func (w *world) id(what string) string {
	w.ids++
	return fmt.Sprintf("%s-%d", what, w.ids)
}

func (w *world) set(name string, change func(*model.NodeFacts)) {
	f := w.nodes[name]
	change(&f)
	w.nodes[name] = f
	w.m.SetNode(name, f)
}

// join adds a machine with a main disk of that size.
func (w *world) join(name, zone string, size int64) {
	w.disks.at[name+main] = &disk{size: size, directory: map[string]model.Directory{}}
	w.set(name, func(f *model.NodeFacts) {
		*f = model.NodeFacts{UID: types.UID(w.id("node")), Ready: true, Manager: w.id("manager"), EngineImage: true, Zone: zone}
	})
}

// leave takes a machine away with its disks.
func (w *world) leave(name string) {
	for _, o := range w.m.List(model.InstanceManagers) {
		if o.(*lh.InstanceManager).Spec.NodeID == name {
			w.m.RemovePod(o.GetName())
			delete(w.pods, o.GetName())
		}
	}
	w.m.RemoveNode(name)
	delete(w.nodes, name)
	delete(w.disks.at, name+main)
	delete(w.disks.at, name+more)
}

func (w *world) patch(kind model.Kind, name string, patch any) {
	w.t.Helper()
	raw, err := json.Marshal(patch)
	if err == nil {
		err = w.m.Patch(model.Ref{Kind: kind, Name: name}, raw)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// run lets that much time pass. A volume that lacks a place has its conditions
// written anew at every step; such a model is taken on by seconds at first and
// at the end, and by minutes between.
func (w *world) run(d time.Duration) {
	const restless = 8
	begin, end := w.now, w.now.Add(d)
	for same := 0; ; same++ {
		p := w.m.Step(w.now)
		for _, pod := range w.m.Pods() {
			if !w.pods[pod.Name] && w.nodes[pod.Node].Ready {
				w.pods[pod.Name] = true
				w.m.SetPod(pod.Name, model.PodFacts{UID: types.UID(w.id("pod")), Ready: true, IP: fmt.Sprintf("10.0.0.%d", w.ids)})
			}
		}
		next := p.Next
		if p.Changed && same < restless {
			continue
		}
		if p.Changed {
			next = w.now.Add(time.Second)
			if gone := w.now.Sub(begin); gone > time.Minute && gone < 11*time.Minute {
				next = w.now.Add(time.Minute)
			}
		}
		if next.IsZero() || next.After(end) {
			if w.now.Equal(end) {
				return
			}
			next = end
		}
		w.now, same = next, 0
	}
}

// snapshot reads the model's objects as they would be read from a cluster.
func (w *world) snapshot() *cluster.Snapshot {
	w.t.Helper()
	plugin := longhorn.New()
	r := plugin.NewReader()
	for _, k := range plugin.Kinds() {
		for _, o := range w.m.List(model.Kind(k.Resource)) {
			raw, err := json.Marshal(o)
			if err == nil {
				err = r.Put(k, raw)
			}
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
	st, _ := r.Storage()
	s := &cluster.Snapshot{Storages: []cluster.Storage{st}}
	for name, f := range w.nodes {
		s.Nodes = append(s.Nodes, cluster.Node{
			Ref: cluster.NodeRef{Name: name, UID: cluster.UID(f.UID)}, Ready: cluster.AnswerOf(f.Ready), Cordoned: f.Unschedulable, Zone: f.Zone,
		})
	}
	return s
}

// on names the volumes with a replica object on the node.
func (w *world) on(node string) map[string]bool {
	out := map[string]bool{}
	for _, o := range w.m.List(model.Replicas) {
		if r := o.(*lh.Replica); r.Spec.NodeID == node {
			out[r.Spec.VolumeName] = true
		}
	}
	return out
}
