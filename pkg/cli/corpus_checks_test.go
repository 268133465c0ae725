// SPDX-License-Identifier: Apache-2.0

package cli_test

import "slices"

// fieldCheck is a rule by which people tell today whether the storage is fine,
// over the same objects that verify reads. It says nothing but yes or no, and
// of a list that is not there what its script would: of an empty one.
type fieldCheck struct {
	name string
	// rule is the check in a sentence, for the table in docs/verdict.md.
	rule string
	fine func(*dump) bool
}

func fieldChecks() []fieldCheck {
	return []fieldCheck{
		{"attached volumes are healthy", "every volume that is `attached` has the robustness `healthy`", attachedHealthy},
		{"nothing is degraded", "`kubectl get volumes -o json \\| jq`: no robustness is `degraded` or `faulted`", nothingDegraded},
		{"Harvester's engine loop", "the volume of every running engine is `healthy` (with fewer than three nodes: two replicas read-write)", engineLoop},
		{"Longhorn's drain guard", "every volume has as many replicas as it wants that the guard takes for protected (1.8: `healthyAt`, no `failedAt`, node not cordoned, instance manager running, budget there)", guardCounts},
		{"healthyAt without failedAt", "every volume has as many replicas with `healthyAt` and without `failedAt` as it wants", healthyCounts},
		{"the same on Ready nodes", "and their Kubernetes node exists and is Ready", healthyOnReadyNodes},
	}
}

const lhAPI = "longhorn.io/v1beta2"

func (d *dump) volumes() []map[string]any  { return d.lists[kindKey{lhAPI, "Volume"}] }
func (d *dump) engines() []map[string]any  { return d.lists[kindKey{lhAPI, "Engine"}] }
func (d *dump) replicas() []map[string]any { return d.lists[kindKey{lhAPI, "Replica"}] }
func (d *dump) machines() []map[string]any { return d.lists[kindKey{"v1", "Node"}] }

func attachedHealthy(d *dump) bool {
	return every(d.volumes(), func(v map[string]any) bool {
		return word(v, "status", "state") != "attached" || word(v, "status", "robustness") == "healthy"
	})
}

func nothingDegraded(d *dump) bool {
	return every(d.volumes(), func(v map[string]any) bool {
		return !slices.Contains([]string{"degraded", "faulted"}, word(v, "status", "robustness"))
	})
}

// engineLoop is the loop before a node's upgrade (Harvester
// package/upgrade/upgrade_node.sh, wait_longhorn_engines).
func engineLoop(d *dump) bool {
	return every(d.engines(), func(e map[string]any) bool {
		v := d.get(kindKey{lhAPI, "Volume"}, word(e, "spec", "volumeName"))
		if word(e, "status", "currentState") != "running" || v == nil {
			return true
		}
		if len(d.machines()) >= 3 {
			return word(v, "status", "robustness") == "healthy"
		}
		writable := 0
		modes, _ := at(e, "status", "replicaModeMap").(map[string]any)
		for _, mode := range modes {
			if mode == "RW" {
				writable++
			}
		}
		return writable >= min(2, wanted(v))
	})
}

// guardCounts asks of every volume what the drain guard asks of a node's
// replicas (Longhorn v1.8.1 datastore/longhorn.go,
// ListVolumePDBProtectedHealthyReplicasRO). A node that it does not find is an
// error there, and no yes.
func guardCounts(d *dump) bool {
	return d.everyVolumeHas(func(r map[string]any) bool {
		return marked(r) && d.guarded(word(r, "spec", "nodeID"))
	})
}

// guarded reports whether the guard takes a stopped replica on the node for
// one that can be served.
func (d *dump) guarded(node string) bool {
	n := d.get(kindKey{"v1", "Node"}, node)
	if n == nil || at(n, "spec", "unschedulable") == true {
		return false
	}
	return slices.ContainsFunc(d.lists[kindKey{lhAPI, "InstanceManager"}], func(m map[string]any) bool {
		return word(m, "spec", "nodeID") == node && word(m, "status", "currentState") == "running" &&
			d.get(kindKey{"policy/v1", "PodDisruptionBudget"}, word(m, "metadata", "name")) != nil
	})
}

// guardLetsGo is the drain guard itself, with its default policy and once the
// node's engines have moved: each replica on the node has another one that is
// protected, or was never used (Longhorn v1.8.1
// controller/instance_manager_controller.go, canDeleteInstanceManagerPDB).
func guardLetsGo(d *dump, node string) bool {
	return every(d.replicas(), func(r map[string]any) bool {
		never := word(r, "spec", "healthyAt") == "" && word(r, "spec", "failedAt") == ""
		return word(r, "spec", "nodeID") != node || never || slices.ContainsFunc(d.replicas(), func(o map[string]any) bool {
			there := word(o, "spec", "nodeID")
			return there != node && word(o, "spec", "volumeName") == word(r, "spec", "volumeName") && marked(o) && d.guarded(there)
		})
	})
}

func healthyCounts(d *dump) bool { return d.everyVolumeHas(marked) }

func healthyOnReadyNodes(d *dump) bool {
	return d.everyVolumeHas(func(r map[string]any) bool {
		n := d.get(kindKey{"v1", "Node"}, word(r, "spec", "nodeID"))
		conditions, _ := at(n, "status", "conditions").([]any)
		return marked(r) && slices.ContainsFunc(conditions, func(c any) bool {
			return word(c, "type") == "Ready" && word(c, "status") == "True"
		})
	})
}

// marked reports what Longhorn's own tests for a healthy replica begin with.
func marked(r map[string]any) bool {
	return word(r, "spec", "healthyAt") != "" && word(r, "spec", "failedAt") == ""
}

// everyVolumeHas reports whether every volume has as many replicas that pass
// as it wants.
func (d *dump) everyVolumeHas(pass func(map[string]any) bool) bool {
	count := map[string]int{}
	for _, r := range d.replicas() {
		if pass(r) {
			count[word(r, "spec", "volumeName")]++
		}
	}
	return every(d.volumes(), func(v map[string]any) bool { return count[word(v, "metadata", "name")] >= wanted(v) })
}

func wanted(v map[string]any) int {
	n, _ := at(v, "spec", "numberOfReplicas").(float64)
	return int(n)
}

func every(list []map[string]any, pass func(map[string]any) bool) bool {
	return !slices.ContainsFunc(list, func(o map[string]any) bool { return !pass(o) })
}

// at returns what is at the path; nil where nothing is.
func at(o any, path ...string) any {
	for _, p := range path {
		m, ok := o.(map[string]any)
		if !ok {
			return nil
		}
		o = m[p]
	}
	return o
}
