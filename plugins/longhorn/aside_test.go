// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestKnobs_ByVersion(t *testing.T) {
	for version, want := range map[string]struct {
		offline bool
		keeps   cluster.Answer
	}{
		"v1.4.0": {false, no}, "v1.8.1": {false, no}, "v1.9.2": {false, no}, "v1.10.0": {true, yes}, "v1.12.0": {true, yes},
		"v2.0.0": {false, cluster.Unknown},
	} {
		st, _ := read(t, "1.12").tune("current-longhorn-version", version).storage()
		if got := st.Volumes[0].SelfRebuild != nil; got != want.offline || st.KeepsNodes != want.keeps {
			t.Errorf("%s: offline rebuilding %v, keeps nodes %v", version, got, st.KeepsNodes)
		}
	}
}

func TestKnobs_WhatLonghornDoesAlreadyIsNotSetAside(t *testing.T) {
	for name, c := range map[string]struct {
		setting, field string
		aside          bool
	}{
		"nobody asked":                           {"false", "ignored", false},
		"for every volume":                       {"true", "ignored", true},
		"for every volume but this":              {"true", "disabled", false},
		"for this one":                           {"false", "enabled", true},
		"for every volume, in the words of 1.10": {`{\"v1\":\"true\",\"v2\":\"false\"}`, "ignored", true},
	} {
		f := read(t, "1.12").tune("current-longhorn-version", "v1.10.1").tune(offlineSetting, c.setting)
		if got := f.set("Volume/vol", "spec.offlineRebuilding", c.field).volume().SelfRebuild; got.IsAside() != c.aside {
			t.Errorf("%s: %+v", name, got)
		}
	}
	st, _ := read(t, "1.8").tune(replenishWait, "600").storage()
	if k := st.HoldBack; k == nil || k.Value != "600" || k.Aside != "0" || k.UID == "" {
		t.Errorf("%+v", k)
	}
}

func TestTune_SetsOneValueAndExpectsTheOldOne(t *testing.T) {
	st := &cluster.Storage{Namespace: "longhorn-system"}
	v := &cluster.Volume{Name: "vol", UID: "u-vol"}
	c, err := Storage{}.Tune(st, nil, cluster.Knob{Name: replenishWait, UID: "s", Value: "600", Aside: "0"})
	if err != nil || len(c) != 1 || c[0].Object.Name != replenishWait || c[0].Expect[0].Value != "600" {
		t.Fatalf("%+v %v", c, err)
	}
	sameJSON(t, c[0].Patch, `{"value":"0"}`)
	c, err = Storage{}.Tune(st, v, cluster.Knob{Name: offlineKnob, UID: "u-vol", Value: "ignored", Aside: "enabled"})
	if err != nil || c[0].Object.UID != "u-vol" || c[0].Expect[0].Name != "spec.offlineRebuilding" {
		t.Fatalf("%+v %v", c, err)
	}
	sameJSON(t, c[0].Patch, `{"spec":{"offlineRebuilding":"enabled"}}`)
	c, err = Storage{}.Tune(st, v, cluster.Knob{Name: offlineKnob, UID: "u-vol", Value: "enabled"})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, c[0].Patch, `{"spec":{"offlineRebuilding":null}}`) // it was absent before
	for name, k := range map[string]cluster.Knob{
		"another setting": {Name: "node-drain-policy", UID: "s", Value: "a", Aside: "b"},
		"another volume":  {Name: offlineKnob, UID: "another", Value: "a", Aside: "b"},
		"no identity":     {Name: replenishWait, Value: "600", Aside: "0"},
	} {
		on := v
		if k.Name != offlineKnob {
			on = nil
		}
		if c, err := (Storage{}).Tune(st, on, k); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestForget_DeletesOneNodeThatNothingMayBePlacedOn(t *testing.T) {
	st := &cluster.Storage{Namespace: "longhorn-system"}
	c, err := Storage{}.Forget(st, cluster.StorageNode{Name: "w1", UID: "u1"})
	if err != nil || len(c) != 1 || !c[0].Delete || c[0].Object.UID != "u1" || c[0].Expect[0].Value != "false" {
		t.Fatalf("%+v %v", c, err)
	}
	if c, err := (Storage{}).Forget(st, cluster.StorageNode{Name: "w1"}); err == nil {
		t.Errorf("without a UID: %+v", c)
	}
	if c, err := (Storage{}).Forget(st, cluster.StorageNode{Name: "w1", UID: "u1", Deleting: true}); err != nil || len(c) != 0 {
		t.Errorf("on its way already: %+v %v", c, err)
	}
}
