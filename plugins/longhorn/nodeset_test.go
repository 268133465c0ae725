// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestReader_ANodesInstanceManagersServe(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		change  func(*fixture)
		want    cluster.Answer
		holds   int
	}{
		"1.8":                       {"1.8", func(*fixture) {}, yes, 1},
		"1.4":                       {"1.4", func(*fixture) {}, yes, 1},
		"in error":                  {"1.8", func(f *fixture) { f.set("InstanceManager/im-w1", "status.currentState", "error") }, no, 1},
		"starting":                  {"1.8", func(f *fixture) { f.set("InstanceManager/im-w1", "status.currentState", "starting") }, no, 1},
		"unknown":                   {"1.8", func(f *fixture) { f.set("InstanceManager/im-w1", "status.currentState", "unknown") }, cluster.Unknown, 1},
		"being deleted":             {"1.8", func(f *fixture) { f.set("InstanceManager/im-w1", "metadata.deletionTimestamp", "2026-01-01T11:00:00Z") }, no, 1},
		"none read":                 {"1.8", func(f *fixture) { f.drop("InstanceManager") }, cluster.Unknown, 1},
		"none here":                 {"1.8", func(f *fixture) { f.set("InstanceManager/im-w1", "spec.nodeID", "w2") }, no, 1},
		"1.4, no replica manager":   {"1.4", func(f *fixture) { f.set("InstanceManager/im-r-w1", "status.currentState", "error") }, no, 1},
		"1.4, no engine manager":    {"1.4", func(f *fixture) { f.set("InstanceManager/im-e-w1", "status.currentState", "stopped") }, no, 1},
		"detached, process runs on": {"1.8", func(f *fixture) { f.detach() }, yes, 1},
		"detached, process stopped": {"1.8", func(f *fixture) {
			f.detach().set("InstanceManager/im-w1", "status.instanceEngines.vol-e.status.state", "stopped")
		}, yes, 0},
		"detached, manager in error": {"1.8", func(f *fixture) { f.detach().set("InstanceManager/im-w1", "status.currentState", "error") }, no, 0},
		"1.4, detached":              {"1.4", func(f *fixture) { f.detach().set("InstanceManager/im-e-w1", "status.instances", nil) }, yes, 0},
		"a share": {"1.8", func(f *fixture) {
			f.add(`{"kind":"ShareManager","metadata":{"name":"s","uid":"s"},"status":{"ownerID":"w1","state":"running"}}`)
		}, yes, 2},
		"a share that is stopped": {"1.8", func(f *fixture) {
			f.add(`{"kind":"ShareManager","metadata":{"name":"s","uid":"s"},"status":{"ownerID":"w1","state":"stopped"}}`)
		}, yes, 1},
	} {
		f := read(t, c.version)
		c.change(f)
		st, _ := f.storage()
		if n := st.Nodes[0]; n.Serving != c.want || n.Holds != c.holds {
			t.Errorf("%s: serving %d, holds %d; want %d, %d", name, n.Serving, n.Holds, c.want, c.holds)
		}
	}
}

func TestReader_DisksAreJoinedFromSpecAndStatus(t *testing.T) {
	const n = "Node/w1"
	for name, c := range map[string]struct {
		change func(*fixture)
		check  func(cluster.Disk) bool
	}{
		"not reported": {func(f *fixture) { f.set(n, "status.diskStatus", nil) }, func(d cluster.Disk) bool {
			return d.Declared && !d.Reported && d.Ready == cluster.Unknown && d.UUID == ""
		}},
		"not declared": {func(f *fixture) { f.set(n, "spec.disks", nil) }, func(d cluster.Disk) bool {
			return !d.Declared && d.Reported && !d.Accept && d.Path == "/var/lib/longhorn"
		}},
		"another filesystem": {func(f *fixture) {
			f.set(n, "status.diskStatus.default.conditions", []any{map[string]any{"type": "Ready", "status": "False", "reason": "DiskFilesystemChanged"}})
		}, func(d cluster.Disk) bool {
			return d.Ready == no && d.ReadyReason == "DiskFilesystemChanged" && d.Schedulable == cluster.Unknown
		}},
		"a block disk":         {func(f *fixture) { f.set(n, "spec.disks.default.diskType", "block") }, func(d cluster.Disk) bool { return d.Medium == block }},
		"being evacuated":      {func(f *fixture) { f.set(n, "spec.disks.default.evictionRequested", true) }, func(d cluster.Disk) bool { return d.Evacuate }},
		"a size in a string":   {func(f *fixture) { f.set(n, "status.diskStatus.default.storageMaximum", "77") }, func(d cluster.Disk) bool { return d.Maximum == 77 }},
		"a path without slash": {func(f *fixture) { f.set(n, "spec.disks.default.path", "/data") }, func(d cluster.Disk) bool { return d.Path == "/data" }},
	} {
		f := read(t, "1.8")
		c.change(f)
		st, _ := f.storage()
		if len(st.Nodes[0].Disks) != 1 || !c.check(st.Nodes[0].Disks[0]) {
			t.Errorf("%s: disks %+v", name, st.Nodes[0].Disks)
		}
	}
	st, _ := read(t, "1.8").set(n, "metadata.deletionTimestamp", "2026-01-01T11:00:00Z").
		set(n, "status.conditions", []any{map[string]any{"type": "Ready", "status": "False", "reason": "KubernetesNodeGone"}}).
		set(n, "spec.allowScheduling", false).set(n, "spec.evictionRequested", true).storage()
	got := st.Nodes[0]
	if !got.Deleting || got.Ready != no || got.ReadyReason != "KubernetesNodeGone" || got.Placement != (cluster.Placement{Evacuate: true}) {
		t.Errorf("node %+v", got)
	}
}

func TestReader_SettingsDecideWhatMayBeShared(t *testing.T) {
	const v = "Volume/vol"
	set := func(name, value string) func(*fixture) {
		return func(f *fixture) { f.set("Setting/"+name, "value", value) }
	}
	for name, c := range map[string]struct {
		change           func(*fixture)
		node, zone, disk cluster.Answer
	}{
		"as the settings say": {func(*fixture) {}, no, yes, yes},
		"nodes shared":        {set("replica-soft-anti-affinity", "true"), yes, yes, yes},
		"zones not shared":    {set("replica-zone-soft-anti-affinity", "false"), no, no, yes},
		"disks not shared":    {set("replica-disk-soft-anti-affinity", "false"), no, yes, no},
		"a value never seen":  {set("replica-soft-anti-affinity", "perhaps"), cluster.Unknown, yes, yes},
		"the volume enables":  {func(f *fixture) { f.set(v, "spec.replicaSoftAntiAffinity", "enabled") }, yes, yes, yes},
		"the volume disables": {func(f *fixture) { f.set(v, "spec.replicaZoneSoftAntiAffinity", "disabled") }, no, no, yes},
		"the volume dreams":   {func(f *fixture) { f.set(v, "spec.replicaDiskSoftAntiAffinity", "dream") }, no, yes, cluster.Unknown},
		"no setting was read": {func(f *fixture) { f.drop("Setting") }, cluster.Unknown, cluster.Unknown, cluster.Unknown},
		"none of them is set": {func(f *fixture) {
			f.drop("Setting").add(`{"kind":"Setting","metadata":{"name":"log-level","uid":"s"},"value":"Info"}`)
		}, no, yes, yes},
		"1.4 has fewer of them": {func(f *fixture) { f.items = read(t, "1.4").items }, no, yes, yes},
	} {
		f := read(t, "1.8")
		c.change(f)
		if got := f.volume(); got.SharesNode != c.node || got.SharesZone != c.zone || got.SharesDisk != c.disk {
			t.Errorf("%s: node %d, zone %d, disk %d; want %d, %d, %d", name, got.SharesNode, got.SharesZone, got.SharesDisk, c.node, c.zone, c.disk)
		}
	}
}

func TestReader_WhetherReplicasAreMovedApartIsToldOrUnknown(t *testing.T) {
	balance := func(value string) func(*fixture) {
		return func(f *fixture) {
			f.add(`{"kind":"Setting","metadata":{"name":"replica-auto-balance","uid":"b"},"value":"` + value + `"}`)
		}
	}
	for name, c := range map[string]struct {
		change func(*fixture)
		want   cluster.Answer
	}{
		"as the setting says":   {balance("disabled"), no},
		"the setting enables":   {balance("least-effort"), yes},
		"the volume enables":    {func(f *fixture) { f.set("Volume/vol", "spec.replicaAutoBalance", "best-effort") }, yes},
		"the volume dreams":     {func(f *fixture) { f.set("Volume/vol", "spec.replicaAutoBalance", "dream") }, cluster.Unknown},
		"the setting dreams":    {balance("dream"), cluster.Unknown},
		"it was not read":       {func(*fixture) {}, cluster.Unknown},
		"the volume follows it": {func(f *fixture) { balance("least-effort")(f.set("Volume/vol", "spec.replicaAutoBalance", "ignored")) }, yes},
	} {
		f := read(t, "1.8")
		c.change(f)
		if got := f.volume().Spreads; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestReader_SettingsThatDecideAreFacts(t *testing.T) {
	st, _ := read(t, "1.12").storage()
	got := map[string]string{}
	for i, f := range st.Settings {
		got[f.Name] = f.Value
		if i > 0 && st.Settings[i-1].Name >= f.Name {
			t.Errorf("%s is not after %s", f.Name, st.Settings[i-1].Name)
		}
	}
	if got["node-drain-policy"] != "block-if-contains-last-replica" || got["disable-revision-counter"] != "true" {
		t.Errorf("settings %v, want the drain policy, and the v1 engine's part of a value in JSON", got)
	}
	if _, there := got["log-level"]; there {
		t.Error("the log level decides nothing")
	}
}

func TestReader_TheVersionIsTheManagersOrTheDefaultImages(t *testing.T) {
	const setting = "Setting/current-longhorn-version"
	for name, c := range map[string]struct {
		change func(*fixture)
		want   string
		doubt  bool
	}{
		"the setting":        {func(*fixture) {}, "v1.8.0", false},
		"the image's status": {func(f *fixture) { f.set(setting, "value", "").set("EngineImage/ei-1", "status.version", "v1.8.7") }, "v1.8.7", false},
		"the image's tag":    {func(f *fixture) { f.set(setting, "value", "").drop("EngineImage") }, "v1.8.0", false},
		"another image's status": {func(f *fixture) {
			f.set(setting, "value", "").set("EngineImage/ei-1", "spec.image", "other").set("EngineImage/ei-1", "status.version", "v1.8.7")
		}, "v1.8.0", false},
		"an image without status": {func(f *fixture) { f.set(setting, "value", "").set("EngineImage/ei-1", "status.version", "") }, "v1.8.0", false},
		"a tag of one's own": {func(f *fixture) {
			f.set(setting, "value", "").drop("EngineImage").set("Setting/default-engine-image", "value", "registry:5000/engine:blue")
		}, "", false},
		"nothing":             {func(f *fixture) { f.drop("Setting") }, "", false},
		"a later one":         {func(f *fixture) { f.set(setting, "value", "v1.13.0") }, "v1.13.0", true},
		"an earlier one":      {func(f *fixture) { f.set(setting, "value", "v1.3.3") }, "v1.3.3", true},
		"another major":       {func(f *fixture) { f.set(setting, "value", "v2.8.0") }, "v2.8.0", true},
		"no version":          {func(f *fixture) { f.set(setting, "value", "master-head") }, "master-head", true},
		"the newest known":    {func(f *fixture) { f.set(setting, "value", "v1.12.1-rc2") }, "v1.12.1-rc2", false},
		"a development build": {func(f *fixture) { f.set(setting, "value", "v1.9-head") }, "v1.9-head", false},
	} {
		f := read(t, "1.8")
		c.change(f)
		st, _ := f.storage()
		if st.Version != c.want || (len(st.Doubts) == 1 && st.Doubts[0].Code == codeUntestedVersion) != c.doubt {
			t.Errorf("%s: version %q, doubts %+v; want %q, a doubt: %t", name, st.Version, st.Doubts, c.want, c.doubt)
		}
	}
}

func TestReader_AnEngineImageIsReadyWhereItIsDeployed(t *testing.T) {
	st, _ := read(t, "1.8").set("EngineImage/ei-1", "status.nodeDeploymentMap", map[string]any{"w1": true, "w2": false}).storage()
	if len(st.Nodes[0].Runtimes) != 1 || len(st.Nodes[1].Runtimes) != 0 {
		t.Errorf("ready on w1: %v, on w2: %v", st.Nodes[0].Runtimes, st.Nodes[1].Runtimes)
	}
	st, _ = read(t, "1.8").set("EngineImage/ei-1", "metadata.deletionTimestamp", "2026-01-01T11:00:00Z").storage()
	if len(st.Nodes[0].Runtimes) != 0 {
		t.Errorf("an image that is being deleted is ready: %v", st.Nodes[0].Runtimes)
	}
}
