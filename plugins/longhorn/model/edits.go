// SPDX-License-Identifier: Apache-2.0

package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Errors of the user's verbs.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrConflict = errors.New("another object bears the name")
	ErrInvalid  = errors.New("invalid")
	// ErrBusy is the refusal to attach a volume that is not detached.
	ErrBusy = errors.New("it is not detached")
	// ErrDenied is the refusal of an admission webhook.
	ErrDenied = errors.New("admission webhook \"validator.longhorn.io\" denied the request")
)

// Create adds an object as a user would: a volume, most often. What it leaves
// open gets Longhorn's defaults; its status is not taken. An object that
// carries a UID keeps it.
func (m *Model) Create(o Object) error {
	kind := KindOf(o)
	if kind == "" || o.GetName() == "" {
		return fmt.Errorf("%w: %T %q", ErrInvalid, o, o.GetName())
	}
	if m.find(kind, o.GetName()) != nil {
		return fmt.Errorf("%s %s: %w", kind, o.GetName(), ErrExists)
	}
	o = o.DeepCopyObject().(Object)
	om := m.meta(kind, o.GetName(), nil)
	if o.GetUID() == "" {
		o.SetUID(om.UID)
		o.SetCreationTimestamp(om.CreationTimestamp)
	}
	o.SetNamespace(om.Namespace)
	o.SetFinalizers(om.Finalizers)
	o.SetGeneration(max(1, o.GetGeneration()))
	switch o := o.(type) {
	case *longhorn.Volume:
		o.Status = longhorn.VolumeStatus{}
		m.defaultVolume(o)
	case *longhorn.Setting:
		o.Finalizers = nil
	default:
		return fmt.Errorf("%w: users do not create %s", ErrInvalid, kind)
	}
	m.insert(o)
	return nil
}

// Patch applies a JSON merge patch to what a user may change: labels,
// annotations, and everything but the status.
func (m *Model) Patch(ref Ref, patch []byte) error {
	o, err := m.resolve(ref)
	if err != nil {
		return err
	}
	var change map[string]any
	if err := json.Unmarshal(patch, &change); err != nil {
		return fmt.Errorf("patch of %s %s: %w", ref.Kind, ref.Name, err)
	}
	kept := map[string]any{}
	for k, v := range change {
		switch k {
		case "metadata":
			om, _ := v.(map[string]any)
			allowed := map[string]any{}
			for _, f := range []string{"labels", "annotations"} {
				if x, ok := om[f]; ok {
					allowed[f] = x
				}
			}
			kept[k] = allowed
		case "status", "kind", "apiVersion":
		default:
			kept[k] = v
		}
	}
	return m.merge(o, kept)
}

// merge applies an unmarshalled merge patch to an object in place.
func (m *Model) merge(o Object, change map[string]any) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode %s: %w", o.GetName(), err)
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		return fmt.Errorf("decode %s: %w", o.GetName(), err)
	}
	raw, err = json.Marshal(mergePatch(whole, change))
	if err != nil {
		return fmt.Errorf("encode the merged %s: %w", o.GetName(), err)
	}
	fresh := reflect.New(reflect.TypeOf(o).Elem())
	if err := json.Unmarshal(raw, fresh.Interface()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, o.GetName(), err)
	}
	if reflect.DeepEqual(reflect.ValueOf(o).Elem().Interface(), fresh.Elem().Interface()) {
		return nil
	}
	reflect.ValueOf(o).Elem().Set(fresh.Elem())
	o.SetGeneration(o.GetGeneration() + 1)
	m.touch(o)
	return nil
}

// mergePatch is RFC 7396.
func mergePatch(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			inner, _ := target[k].(map[string]any)
			target[k] = mergePatch(inner, v)
		default:
			target[k] = v
		}
	}
	return target
}

// Delete asks for an object's removal, as kubectl delete does. The controllers
// finish it.
func (m *Model) Delete(ref Ref) error {
	o, err := m.resolve(ref)
	if err != nil {
		return err
	}
	if o.GetDeletionTimestamp() == nil {
		if why := m.DenyDelete(ref); why != "" {
			return fmt.Errorf("%w: %s", ErrDenied, why)
		}
	}
	m.remove(o)
	return nil
}

func (m *Model) remove(o Object) {
	if len(o.GetFinalizers()) == 0 {
		m.drop(o)
		return
	}
	if o.GetDeletionTimestamp() == nil {
		now := metav1.NewTime(m.now.UTC())
		o.SetDeletionTimestamp(&now)
		m.touch(o)
	}
}

// Forget drops an object that is gone although the model did not let it go,
// because somebody took its finalizer away.
func (m *Model) Forget(ref Ref) {
	if o, err := m.resolve(ref); err == nil {
		m.drop(o)
	}
}

// Adopt gives an object, and the references to it as an owner, the UID that
// the API server gave it.
func (m *Model) Adopt(ref Ref, uid types.UID) error {
	o, err := m.resolve(ref)
	if err != nil {
		return err
	}
	old := o.GetUID()
	if old == uid {
		return nil
	}
	o.SetUID(uid)
	for _, k := range []Kind{InstanceManagers, VolumeAttachments, Engines, Replicas} {
		for _, d := range m.List(k) {
			refs := d.GetOwnerReferences()
			for i := range refs {
				if refs[i].UID == old {
					refs[i].UID = uid
				}
			}
		}
	}
	return nil
}

func (m *Model) resolve(ref Ref) (Object, error) {
	o := m.find(ref.Kind, ref.Name)
	if o == nil {
		return nil, fmt.Errorf("%s %s: %w", ref.Kind, ref.Name, ErrNotFound)
	}
	if ref.UID != "" && ref.UID != o.GetUID() {
		return nil, fmt.Errorf("%s %s with UID %s: %w", ref.Kind, ref.Name, ref.UID, ErrConflict)
	}
	return o, nil
}
