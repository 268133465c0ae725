// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Whatever is changed about one object of a cluster that is well, the plugin makes
// the same of its excerpt as of the whole: no field that it reads is left out.
func TestShown_LeavesOutNoFieldThatThePluginReads(t *testing.T) {
	w, err := world(1, Standard(3, 1))
	if err != nil {
		t.Fatal(err)
	}
	whole, cut := longhorn.New().NewReader(), longhorn.New().NewReader()
	for _, k := range model.Kinds() {
		for _, o := range w.model.List(k) {
			if err := errors.Join(w.showTo(t, whole, k, o), w.showTo(t, cut, k, shown(o))); err != nil {
				t.Fatal(err)
			}
		}
	}
	changes := 0
	for _, k := range model.Kinds() {
		all := w.model.List(k)
		for _, o := range all[:min(1, len(all))] {
			for _, part := range []string{"Spec", "Status"} {
				v := reflect.ValueOf(o).Elem().FieldByName(part)
				if !v.IsValid() {
					continue
				}
				bend(v, part, w.addresses(), func(what string) {
					changes++
					errs := []error{w.showTo(t, whole, k, o), w.showTo(t, cut, k, shown(o))}
					of, gaps := whole.Storage()
					ofCut, gapsCut := cut.Storage()
					if (errs[0] == nil) != (errs[1] == nil) || !reflect.DeepEqual(of, ofCut) || len(gaps) != len(gapsCut) {
						t.Errorf("of %s %s with another %s its excerpt does not tell", k, o.GetName(), what)
					}
				})
			}
		}
	}
	if changes < 500 {
		t.Errorf("only %d changes: it shows little", changes)
	}
}

// showTo shows an object to a reader.
func (w *World) showTo(t *testing.T, r plugin.Reader, k model.Kind, object any) error {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return r.Put(w.kinds[string(k)], raw)
}

// addresses are keys under which engines keep what is of a replica.
func (w *World) addresses() []string {
	var out []string
	for _, o := range w.model.List(model.Engines) {
		for name, a := range o.(*longhornapi.Engine).Status.CurrentReplicaAddressMap {
			out = append(out, name, a, "tcp://"+a)
		}
	}
	return out
}

// bend gives every field below the value other values, one after the other, calls
// with each, and puts back what was there.
func bend(v reflect.Value, path string, keys []string, with func(what string)) {
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				bend(v.Field(i), path+"."+f.Name, keys, with)
			}
		}
		return
	}
	was := reflect.New(v.Type()).Elem()
	was.Set(v)
	for _, other := range others(v.Type(), keys, 0) {
		v.Set(other)
		with(path)
	}
	v.Set(was)
}

// others are values of the type that the plugin may make something of.
func others(of reflect.Type, keys []string, depth int) []reflect.Value {
	var out []reflect.Value
	add := func(of reflect.Type, values ...any) {
		for _, x := range values {
			out = append(out, reflect.ValueOf(x).Convert(of))
		}
	}
	switch of.Kind() {
	case reflect.String:
		add(of, "", "x", "2026-01-02T03:04:05Z", "in_progress", "False")
	case reflect.Bool:
		add(of, false, true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		add(of, 0, 1, 99)
	case reflect.Float64:
		add(of, 0.5)
	case reflect.Pointer:
		for _, e := range others(of.Elem(), keys, depth) { // the storage writes no null
			p := reflect.New(of.Elem())
			p.Elem().Set(e)
			out = append(out, p)
		}
	case reflect.Slice:
		out = append(out, reflect.Zero(of))
		for _, e := range others(of.Elem(), keys, depth+1) {
			out = append(out, reflect.Append(reflect.Zero(of), e))
		}
	case reflect.Map:
		out = append(out, reflect.Zero(of))
		for _, e := range others(of.Elem(), keys, depth+1) {
			m := reflect.MakeMap(of)
			for _, k := range keys {
				m.SetMapIndex(reflect.ValueOf(k).Convert(of.Key()), e)
			}
			out = append(out, m)
		}
	case reflect.Struct:
		out = structs(of, keys, depth)
	}
	return out
}

// structs are structs with one field that is not zero, and conditions of every type.
func structs(of reflect.Type, keys []string, depth int) []reflect.Value {
	if of == reflect.TypeFor[longhornapi.Condition]() {
		var out []reflect.Value
		for _, kind := range strings.Fields("Ready Schedulable Scheduled InstanceCreation RebuildFailed WaitForBackingImage Restore MountPropagation") {
			out = append(out, reflect.ValueOf(longhornapi.Condition{Type: kind, Status: longhornapi.ConditionStatusFalse, Reason: "odd"}))
		}
		return out
	}
	out := []reflect.Value{reflect.New(of).Elem()}
	for i := range of.NumField() {
		if depth > 1 || !of.Field(i).IsExported() {
			continue
		}
		for _, e := range others(of.Field(i).Type, keys, depth+1) {
			x := reflect.New(of).Elem()
			x.Field(i).Set(e)
			out = append(out, x)
		}
	}
	return out
}
