// SPDX-License-Identifier: Apache-2.0

package cli_test

import "maps"

// never is a cause for which a roll of the node could not end, just a cluster
// that differs from it by as little as possible, and in which it can.
type neverEnding struct {
	node        string // worker-1 where empty
	never, just func(objects)
	says        string
}

const (
	alice  = "vol-alice"
	gib    = 1 << 30
	w2disk = "status.diskStatus.default."
)

func setting(o objects, name, value string) {
	for _, x := range o["lhSetting"] {
		if object(x.(map[string]any))["metadata"].(map[string]any)["name"] == name {
			o.at("lhSetting", name)["value"] = value
			return
		}
	}
	o.like("lhSetting", "node-drain-policy", name)["value"] = value
}

// both is a change with another on top.
func both(first, then func(objects)) func(objects) {
	return func(o objects) { first(o); then(o) }
}

// closed takes worker-2 away as a place.
func closed(o objects) { o.at("lhNode", "worker-2").set("spec.allowScheduling", false) }

// second gives worker-3 another disk.
func second(o objects) {
	const path, uuid = "/mnt/second/", "aaaaaaaa-0000-4000-8000-000000000033"
	n := o.at("lhNode", "worker-3")
	for _, part := range [][2]string{{"spec", "disks"}, {"status", "diskStatus"}} {
		first := n[part[0]].(map[string]any)[part[1]].(map[string]any)["default"].(map[string]any)
		n.set(part[0]+"."+part[1]+".second", maps.Clone(first))
	}
	n.set("spec.disks.second.path", path).set("status.diskStatus.second.diskPath", path).set("status.diskStatus.second.diskUUID", uuid)
}

// three gives vol-alice a third replica, on worker-2.
func three(o objects) {
	o.at("lhVolume", alice).set("spec.numberOfReplicas", 3)
	o.like("lhReplica", "vol-alice-r-1", "vol-alice-r-2").set("spec.nodeID", "worker-2").
		set("spec.diskID", "aaaaaaaa-0000-4000-8000-000000000002").set("status.ownerID", "worker-2")
}

func zones(third string) func(objects) {
	return func(o objects) {
		for node, zone := range map[string]string{"worker-1": "a", "worker-3": "b", "worker-2": third} {
			o.at("lhNode", node).set("status.zone", zone)
		}
		o.at("lhVolume", alice).set("spec.replicaZoneSoftAntiAffinity", "disabled")
	}
}

func of(kind, name, path string, value any) func(objects) {
	return func(o objects) { o.at(kind, name).set(path, value) }
}

func with(name, value string) func(objects) {
	return func(o objects) { setting(o, name, value) }
}

func same(objects) {}

func hopeless() map[string]neverEnding {
	all := map[string]neverEnding{}
	for _, group := range []map[string]neverEnding{placeless(), immovable(), elsewhere()} {
		for name, c := range group {
			all[name] = c
		}
	}
	return all
}

// placeless are those for which there is no place.
func placeless() map[string]neverEnding {
	tagged := both(of("lhVolume", alice, "spec.nodeSelector", []any{"ssd"}),
		both(of("lhNode", "worker-1", "spec.tags", []any{"ssd"}), of("lhNode", "worker-3", "spec.tags", []any{"ssd"})))
	fast := both(of("lhVolume", alice, "spec.diskSelector", []any{"nvme"}),
		both(of("lhNode", "worker-1", "spec.disks.default.tags", []any{"nvme"}), of("lhNode", "worker-3", "spec.disks.default.tags", []any{"nvme"})))
	cordoned := of("Node", "worker-2", "spec.unschedulable", true)
	shut := of("lhNode", "worker-2", "status.conditions", []any{
		map[string]any{"type": "Ready", "status": "True"},
		map[string]any{"type": "Schedulable", "status": "False", "reason": "KubernetesNodeCordoned"},
	})
	share := both(closed, of("lhVolume", alice, "spec.replicaSoftAntiAffinity", "enabled"))
	return map[string]neverEnding{
		"as many nodes as replicas, none shared": {never: closed, just: both(share, second), says: "worker-3 holds another replica of it"},
		"no zone is left":                        {never: zones("b"), just: zones("c"), says: "in the zone of another replica"},
		"the last node with the tags":            {never: tagged, just: both(tagged, of("lhNode", "worker-2", "spec.tags", []any{"ssd"})), says: "node tags"},
		"the last disk with the tags":            {never: fast, just: both(fast, of("lhNode", "worker-2", "spec.disks.default.tags", []any{"nvme"})), says: "disk tags"},
		"over-provisioned, though half empty":    {never: of("lhNode", "worker-2", w2disk+"storageScheduled", 19*gib+1), just: of("lhNode", "worker-2", w2disk+"storageScheduled", 19*gib), says: "too little space"},
		"too little would stay free":             {never: of("lhNode", "worker-2", w2disk+"storageAvailable", 5*gib+1<<20), just: of("lhNode", "worker-2", w2disk+"storageAvailable", 5*gib+1<<20+1), says: "too little space"},
		"reserved for others":                    {never: of("lhNode", "worker-2", "spec.disks.default.storageReserved", 18*gib+1), just: of("lhNode", "worker-2", "spec.disks.default.storageReserved", 18*gib), says: "too little space"},
		"one disk, and it may not be shared":     {never: both(share, of("lhVolume", alice, "spec.replicaDiskSoftAntiAffinity", "disabled")), just: both(both(share, of("lhVolume", alice, "spec.replicaDiskSoftAntiAffinity", "disabled")), second), says: "holds another replica of it"},
		"only beside another replica of it":      {never: share, just: both(share, second), says: "lost together"},
		"tagged nodes are closed to the rest":    {never: both(of("lhNode", "worker-2", "spec.tags", []any{"ssd"}), with("allow-empty-node-selector-volume", "false")), just: both(of("lhNode", "worker-2", "spec.tags", []any{"ssd"}), with("allow-empty-node-selector-volume", "true")), says: "node tags"},
		"tagged disks are closed to the rest":    {never: both(of("lhNode", "worker-2", "spec.disks.default.tags", []any{"x"}), with("allow-empty-disk-selector-volume", "false")), just: of("lhNode", "worker-2", "spec.disks.default.tags", []any{"x"}), says: "disk tags"},
		"the only other node is cordoned":        {never: both(cordoned, shut), just: both(cordoned, with("disable-scheduling-on-cordoned-node", "false")), says: "worker-2 is cordoned"},
		"the engine image is not there":          {never: of("lhEngineImage", "ei-b4bcf0a5", "status.nodeDeploymentMap.worker-2", false), just: same, says: "lacks the engine image"},
		"its instance manager does not run":      {never: of("lhInstanceManager", "instance-manager-2", "status.currentState", "error"), just: same, says: "no running instance manager"},
		"the disk is being emptied":              {never: of("lhNode", "worker-2", "spec.disks.default.evictionRequested", true), just: same, says: "accepts no replicas"},
		"the disk is of the other data engine":   {never: of("lhNode", "worker-2", "spec.disks.default.diskType", "block"), just: same, says: "is a block disk"},
	}
}

// immovable are volumes of which no replica is ever made.
func immovable() map[string]neverEnding {
	single := func(o objects) {
		o.drop("lhReplica", "vol-alice-r-3")
		o.at("lhVolume", alice).set("spec.numberOfReplicas", 1)
	}
	image := func(disk, state string) func(objects) {
		return func(o objects) {
			o.at("lhVolume", alice).set("spec.backingImage", "img")
			o["lhBackingImage"] = []any{map[string]any{
				"metadata": map[string]any{"name": "img", "namespace": "longhorn-system", "uid": "img"},
				"spec":     map[string]any{}, "status": map[string]any{"diskFileStatusMap": map[string]any{disk: map[string]any{"state": state}}},
			}}
		}
	}
	standby := func(o objects) {
		o.at("lhVolume", alice).set("spec.Standby", true).set("spec.nodeID", "worker-3").set("status.isStandby", true).
			set("status.state", "attached").set("status.robustness", "healthy").set("status.currentNodeID", "worker-3")
		o.at("lhEngine", alice+"-e-0").set("spec.nodeID", "worker-3").set("spec.desireState", "running").
			set("status.currentState", "running").set("status.started", true).
			set("status.replicaModeMap", map[string]any{"vol-alice-r-1": "RW", "vol-alice-r-3": "RW"}).
			set("status.currentReplicaAddressMap", map[string]any{"vol-alice-r-1": "10.42.0.1:10000", "vol-alice-r-3": "10.42.0.3:10000"})
		for _, r := range []string{"vol-alice-r-1", "vol-alice-r-3"} {
			o.at("lhReplica", r).set("spec.desireState", "running").set("status.currentState", "running").set("status.started", true)
		}
	}
	disk3 := "aaaaaaaa-0000-4000-8000-000000000003"
	failed := func(names ...string) func(objects) {
		return func(o objects) {
			for _, n := range names {
				o.at("lhReplica", n).set("spec.failedAt", "2026-03-01T11:59:00Z")
			}
		}
	}
	return map[string]neverEnding{
		"strict-local":                   {never: both(single, of("lhVolume", alice, "spec.dataLocality", "strict-local")), just: both(single, of("lhVolume", alice, "spec.dataLocality", "best-effort")), says: "strict-local"},
		"a linked clone":                 {never: of("lhVolume", alice, "spec.cloneMode", "linked-clone"), just: of("lhVolume", alice, "spec.cloneMode", "full-copy"), says: "linked clone"},
		"a standby with an old engine":   {never: both(standby, of("lhEngineImage", "ei-b4bcf0a5", "status.cliAPIVersion", 3)), just: both(standby, of("lhEngineImage", "ei-b4bcf0a5", "status.cliAPIVersion", 4)), says: "is too old to rebuild one"},
		"rebuilding is off":              {never: with("concurrent-replica-rebuild-per-node-limit", "0"), just: with("concurrent-replica-rebuild-per-node-limit", "1"), says: "rebuilding is switched off"},
		"every copy is bad":              {never: failed("vol-alice-r-1", "vol-alice-r-3"), just: failed("vol-alice-r-1"), says: "vol-alice"},
		"an expansion is pending":        {never: of("lhVolume", alice, "status.expansionRequired", true), just: same, says: "is expanding"},
		"a migration is pending":         {never: of("lhVolume", alice, "spec.migrationNodeID", "worker-2"), just: same, says: "is migrating"},
		"a clone is being made":          {never: of("lhVolume", alice, "status.cloneStatus.state", "copy-in-progress"), just: of("lhVolume", alice, "status.cloneStatus.state", "completed"), says: "is cloning"},
		"its backing image is nowhere":   {never: image("gone", "ready"), just: image(disk3, "ready"), says: "no ready copy of its backing image"},
		"its backing image is not ready": {never: image(disk3, "in-progress"), just: image(disk3, "ready"), says: "no ready copy of its backing image"},
		"a phantom counts as usable":     {never: of("lhReplica", "vol-alice-r-3", "spec.diskID", "of another life"), just: same, says: "vol-alice-r-3"},
	}
}

// elsewhere are causes outside of the volumes.
func elsewhere() map[string]neverEnding {
	budget := func(expected int) func(objects) {
		return func(o objects) {
			o["PodDisruptionBudget"] = []any{map[string]any{
				"metadata": map[string]any{"name": "hub", "namespace": "users", "uid": "pdb"},
				"spec":     map[string]any{"selector": map[string]any{}},
				"status":   map[string]any{"disruptionsAllowed": expected - 1, "currentHealthy": expected, "desiredHealthy": 1, "expectedPods": expected},
			}}
		}
	}
	return map[string]neverEnding{
		"the drain waits for an eviction without a place": {never: both(three, with("node-drain-policy", "block-for-eviction")), just: both(three, with("node-drain-policy", "block-if-contains-last-replica")), says: "node-drain-policy block-for-eviction"},
		"a budget that permits nothing":                   {node: "worker-2", never: budget(1), just: budget(2), says: "not one may ever go"},
	}
}
