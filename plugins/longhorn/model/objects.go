// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"maps"
	"slices"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Kind is a resource name of the group longhorn.io.
type Kind string

// The kinds that the model keeps.
const (
	Volumes           Kind = "volumes"
	Engines           Kind = "engines"
	Replicas          Kind = "replicas"
	Nodes             Kind = "nodes"
	VolumeAttachments Kind = "volumeattachments"
	InstanceManagers  Kind = "instancemanagers"
	EngineImages      Kind = "engineimages"
	Settings          Kind = "settings"
)

// Kinds lists the kinds so that an owner comes before what it owns.
func Kinds() []Kind {
	return []Kind{Settings, EngineImages, Nodes, InstanceManagers, Volumes, VolumeAttachments, Engines, Replicas}
}

// Ref names one object. An empty UID means whichever object bears the name.
type Ref struct {
	Kind Kind
	Name string
	UID  types.UID
}

// apiKind returns the kind as it is written in an object.
func (k Kind) apiKind() string {
	switch k {
	case Volumes:
		return "Volume"
	case Engines:
		return "Engine"
	case Replicas:
		return "Replica"
	case Nodes:
		return "Node"
	case VolumeAttachments:
		return "VolumeAttachment"
	case InstanceManagers:
		return "InstanceManager"
	case EngineImages:
		return "EngineImage"
	case Settings:
		return "Setting"
	}
	return ""
}

// KindOf returns the kind of a Longhorn object, empty for one that the model
// does not keep.
func KindOf(o Object) Kind {
	switch o.(type) {
	case *longhorn.Volume:
		return Volumes
	case *longhorn.Engine:
		return Engines
	case *longhorn.Replica:
		return Replicas
	case *longhorn.Node:
		return Nodes
	case *longhorn.VolumeAttachment:
		return VolumeAttachments
	case *longhorn.InstanceManager:
		return InstanceManagers
	case *longhorn.EngineImage:
		return EngineImages
	case *longhorn.Setting:
		return Settings
	}
	return ""
}

// Get returns the object of that name as it is now, or nil. It is the model's
// own: copy it before changing it.
func (m *Model) Get(kind Kind, name string) Object { return m.find(kind, name) }

// List returns the objects of a kind by name; they are the model's own.
func (m *Model) List(kind Kind) []Object {
	switch kind {
	case Volumes:
		return listed(m.volumes)
	case Engines:
		return listed(m.engines)
	case Replicas:
		return listed(m.replicas)
	case Nodes:
		return listed(m.nodes)
	case VolumeAttachments:
		return listed(m.attachments)
	case InstanceManagers:
		return listed(m.managers)
	case EngineImages:
		return listed(m.images)
	case Settings:
		return listed(m.settings)
	}
	return nil
}

func listed[T Object](t *table[T]) []Object {
	out := make([]Object, 0, len(t.all()))
	for _, o := range t.all() {
		out = append(out, o)
	}
	return out
}

func (m *Model) find(kind Kind, name string) Object {
	switch kind {
	case Volumes:
		return found(m.volumes, name)
	case Engines:
		return found(m.engines, name)
	case Replicas:
		return found(m.replicas, name)
	case Nodes:
		return found(m.nodes, name)
	case VolumeAttachments:
		return found(m.attachments, name)
	case InstanceManagers:
		return found(m.managers, name)
	case EngineImages:
		return found(m.images, name)
	case Settings:
		return found(m.settings, name)
	}
	return nil
}

func found[T Object](t *table[T], name string) Object {
	if o, ok := t.byName[name]; ok {
		return o
	}
	return nil
}

// insert adds an object that is complete, new or from outside.
func (m *Model) insert(o Object) {
	switch o := o.(type) {
	case *longhorn.Volume:
		m.volumes.add(o)
	case *longhorn.Engine:
		m.engines.add(o)
	case *longhorn.Replica:
		m.replicas.add(o)
	case *longhorn.Node:
		m.nodes.add(o)
	case *longhorn.VolumeAttachment:
		m.attachments.add(o)
	case *longhorn.InstanceManager:
		m.managers.add(o)
	case *longhorn.EngineImage:
		m.images.add(o)
	case *longhorn.Setting:
		m.settings.add(o)
	}
	m.note(ofCounts)
	m.touch(o)
}

// drop removes an object for good.
func (m *Model) drop(o Object) {
	switch o.(type) {
	case *longhorn.Volume:
		m.volumes.remove(o.GetName())
	case *longhorn.Engine:
		m.engines.remove(o.GetName())
	case *longhorn.Replica:
		m.replicas.remove(o.GetName())
	case *longhorn.Node:
		m.nodes.remove(o.GetName())
	case *longhorn.VolumeAttachment:
		m.attachments.remove(o.GetName())
	case *longhorn.InstanceManager:
		m.managers.remove(o.GetName())
	case *longhorn.EngineImage:
		m.images.remove(o.GetName())
	case *longhorn.Setting:
		m.settings.remove(o.GetName())
	}
	m.forget(o)
	m.note(ofCounts)
	m.touch(o)
	gone := waitKey(o, "")
	maps.DeleteFunc(m.waiting, func(k wait, _ time.Time) bool { return k.kind == gone.kind && k.name == gone.name })
}

// wait names one wait: of an object, for what, and where that can be several
// things, for which.
type wait struct {
	kind              Kind
	name, what, which string
}

// waitKey names one of an object's waits for held.
func waitKey(o Object, what string) wait {
	return wait{kind: KindOf(o), name: o.GetName(), what: what}
}

// meta is the metadata of a new object, with owner as its owner unless nil.
func (m *Model) meta(kind Kind, name string, owner Object) metav1.ObjectMeta {
	om := metav1.ObjectMeta{
		Name: name, Namespace: m.options.Namespace, UID: m.newUID(), Generation: 1,
		CreationTimestamp: metav1.NewTime(m.now.UTC().Truncate(time.Second)),
	}
	if kind != InstanceManagers && kind != Settings {
		om.Finalizers = []string{finalizer}
	}
	if owner != nil {
		om.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: longhorn.SchemeGroupVersion.String(), Kind: KindOf(owner).apiKind(),
			Name: owner.GetName(), UID: owner.GetUID(),
		}}
	}
	return om
}

const finalizer = "longhorn.io"

func typeMeta(k Kind) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: longhorn.SchemeGroupVersion.String(), Kind: k.apiKind()}
}

// touch records that an object differs from what it was.
func (m *Model) touch(o Object) {
	t, volume := topicOf(o)
	m.touchAs(o, t)
	if volume != "" {
		m.kin(volume)
	}
	if r, ok := o.(*longhorn.Replica); ok {
		m.lie(r)
	}
}

// touchAs records that an object differs in what only those read who read that
// topic.
func (m *Model) touchAs(o Object, t topic) {
	m.note(t)
	ref := Ref{Kind: KindOf(o), Name: o.GetName()}
	m.stamps[ref] = m.revision
	m.changes = append(m.changes, change{ref, m.revision})
	if len(m.changes) > 2*len(m.stamps)+64 {
		m.changes = slices.DeleteFunc(m.changes, func(c change) bool { return m.stamps[c.ref] != c.at })
	}
}

// change is one of an object; it is the last if the object bears its stamp.
type change struct {
	ref Ref
	at  uint64
}

// set assigns and records it if that changes anything.
func set[T comparable](m *Model, o Object, field *T, value T) {
	if *field != value {
		*field = value
		m.touch(o)
	}
}

// Changed returns the names of all objects that were added, changed or removed
// after the given revision, in the order of Kinds and then of names, and the
// revision to ask with next time. The first revision is 0.
func (m *Model) Changed(since uint64) ([]Ref, uint64) {
	first, _ := slices.BinarySearchFunc(m.changes, since+1, func(c change, at uint64) int { return cmp.Compare(c.at, at) })
	var refs []Ref
	for _, c := range m.changes[first:] {
		if m.stamps[c.ref] == c.at {
			refs = append(refs, c.ref)
		}
	}
	kinds := Kinds()
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return refs, m.revision
}
