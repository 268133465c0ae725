// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"sort"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// volume translates one volume with its engine, replicas and tickets.
func (j *join) volume(v *volume, family family) cluster.Volume {
	e := family.current()
	f := cluster.Volume{
		Name: v.Name, UID: v.UID, Handle: v.Name, Created: v.Created.time(),
		Class: j.class(v, len(family.replicas)), Want: v.NumberOfReplicas, Need: 1,
		Pinned:     v.DataLocality == "strict-local",
		SharesNode: j.settings.soft(v.SoftNode, "replica-soft-anti-affinity", no),
		SharesZone: j.settings.soft(v.SoftZone, "replica-zone-soft-anti-affinity", yes),
		SharesDisk: j.settings.soft(v.SoftDisk, "replica-disk-soft-anti-affinity", yes),
		Spreads:    j.settings.spreads(v.AutoBalance),
		NodeTags:   v.NodeSelector, DiskTags: v.DiskSelector,
		Medium: mediumOf(v.DataEngine), Base: v.BackingImage,
		Size: int64(v.Size), Used: int64(v.Status.ActualSize),
		Busy: busy(v, e, len(family.engines)), Touched: v.touched(), Mounted: v.mounted(),
	}
	if v.DataEngine == "v1" {
		f.Runtime = v.Image
	}
	f.Replicas = j.replicaFacts(family.replicas, e)
	ever := false
	for _, r := range family.replicas {
		ever = ever || r.ever()
	}
	f.Touched = f.Touched || ever || j.orphaned[v.Name]
	f.Engine = engineFact(e, ever)
	if f.Engine.Ever == no && e.mayHave(v) {
		f.Engine.Ever = cluster.Unknown
	}
	f.Holds, f.HoldsUID = holds(v, family.tickets)
	f.State, _ = stateOf(v.Status.State)
	if v.Deleted != nil {
		f.State = cluster.Deleting
	}
	f.Doubts = j.volumeDoubts(v, family, f.Replicas)
	f.Pause, f.Hindered = j.pacer.pace(v, family)
	if f.NoRebuild, f.CanRebuild = j.noRebuild(v); f.NoRebuild != "" {
		f.Hindered = append(f.Hindered, f.NoRebuild)
	}
	if j.selfRebuild != nil {
		f.SelfRebuild = j.selfRebuild(v)
	}
	return f
}

// class says what kind of volume it is. A volume that is named by a shard
// group, or served by a data engine never seen, is not judged as copies.
func (j *join) class(v *volume, replicas int) cluster.Class {
	switch {
	case j.shardedVolume(v, replicas):
		return cluster.ClassSharded
	case mediumOf(v.DataEngine) == "":
		return cluster.ClassUnknown
	case v.Standby || v.Status.IsStandby:
		return cluster.ClassStandby
	case v.CloneMode == "linked-clone":
		return cluster.ClassLinkedClone
	case v.CloneMode != "" && v.CloneMode != "full-copy":
		return cluster.ClassUnknown
	default:
		return cluster.ClassOrdinary
	}
}

// engineFact translates the current engine; nil means that there is not
// exactly one. ever is whether any replica was ever healthy or failed.
func engineFact(e *engine, ever bool) cluster.Engine {
	if e == nil {
		f := cluster.Engine{Present: no}
		if ever {
			f.Ever = yes
		}
		return f
	}
	f := cluster.Engine{
		Present: yes, Name: e.Name, UID: e.UID, Node: e.NodeID, Owner: e.Status.OwnerID,
		Ever: cluster.AnswerOf(ever || e.ever()),
	}
	switch e.Status.State {
	case "running":
		f.Running = yes
	case "stopped", "":
		f.Running = no
	}
	return f
}

// replicaFacts translates a volume's replicas.
func (j *join) replicaFacts(rs []*replica, e *engine) []cluster.Replica {
	out := make([]cluster.Replica, 0, len(rs))
	for _, r := range rs {
		s := claim(r, e)
		s.doubts = append(s.doubts, j.placeDoubts(r)...)
		out = append(out, cluster.Replica{
			Name: r.Name, UID: r.UID, Claim: s.claim, Node: r.NodeID,
			DiskUUID: r.DiskID, DiskPath: r.DiskPath, Directory: r.Directory, Owner: r.Status.OwnerID,
			Deleting: r.Deleted != nil, Leaving: r.EvictionRequested || r.Status.EvictionRequested,
			Created: r.Created.time(), HealthyAt: r.HealthyAt.time(), FailedAt: r.FailedAt.time(),
			Progress: s.progress, Doubts: s.doubts,
		})
	}
	return out
}

// placeDoubts collects what the replica's node and disk make harder to believe.
func (j *join) placeDoubts(r *replica) []cluster.Doubt {
	var out []cluster.Doubt
	n := j.byNode[r.NodeID]
	if n == nil {
		return nil
	}
	for _, d := range n.disks {
		if d.Reported && d.UUID == r.DiskID && d.Ready != yes && d.ReadyReason == diskChanged {
			out = append(out, doubt(codeDiskChanged, cluster.StandingUnknown, "diskUUID", d.UUID, "reason", d.ReadyReason))
		}
	}
	if r.EvictionRequested || r.Status.EvictionRequested {
		if ready, reason := n.conditions.Of("Ready"); ready != yes {
			out = append(out, doubt(codeMoveHalted, cluster.StandingGood, "node", n.Name, "reason", reason))
		}
	}
	return out
}

// busy names what must end before the volume can be judged, sorted. A standby
// volume restores for as long as it lives; it is judged by its engine.
func busy(v *volume, e *engine, engines int) []string {
	var out []string
	add := func(is bool, word string) {
		if is {
			out = append(out, word)
		}
	}
	standby := v.Standby || v.Status.IsStandby
	clone := v.Status.CloneStatus.State
	add(clone != "" && clone != "completed" && clone != "failed", "cloning")
	add(v.Status.ExpansionRequired || e != nil && e.Deleted == nil && (e.expanding() || v.outgrown(e)), "expanding")
	add(v.MigrationNodeID != "" || v.Status.CurrentMigrationNodeID != "" || v.Status.SwitchoverState != "" ||
		engines > 1, "migrating")
	add(e != nil && e.purging(), "purging")
	add(!standby && (v.Status.RestoreRequired || v.Restoring || e != nil && e.restoring()), "restoring")
	add(v.Image != "" && v.Status.CurrentImage != "" && v.Image != v.Status.CurrentImage, "upgrading")
	return out
}

// holds returns why the volume is attached. Before Longhorn 1.5 there is no
// attachment object: the volume itself names its node.
func holds(v *volume, a *attachment) ([]cluster.Hold, cluster.UID) {
	if a != nil {
		return a.holds(), a.UID
	}
	if v.NodeID == "" {
		return nil, ""
	}
	if v.DisableFrontend && strings.HasPrefix(v.LastAttachedBy, oursPrefix) {
		return []cluster.Hold{{ID: v.LastAttachedBy, Kind: cluster.HoldOurs, Node: v.NodeID, Why: "spec.nodeID"}}, ""
	}
	kind := cluster.HoldUnknown
	if k := v.Status.KubernetesStatus; bool(k.WorkloadsStatus) && !bool(k.LastPodRefAt) {
		kind = cluster.HoldWorkload
	}
	return []cluster.Hold{{Kind: kind, Node: v.NodeID, Why: "spec.nodeID"}}, ""
}

// volumeDoubts collects what makes the volume as a whole harder to believe.
func (j *join) volumeDoubts(v *volume, family family, rs []cluster.Replica) []cluster.Doubt {
	var out []cluster.Doubt
	e := family.current()
	unseen := func(field, word string) {
		out = append(out, doubt(codeUnknownValue, cluster.StandingUnknown, field, word))
	}
	sharded := j.shardedVolume(v, len(rs))
	if e == nil && !sharded {
		out = append(out, doubt(codeNoEngine, cluster.StandingUnknown, "engines", names(family.engines)))
	}
	if sharded {
		out = append(out, doubt(codeSharded, cluster.StandingUnknown, "shardGroup", v.Name))
	}
	if v.Standby || v.Status.IsStandby {
		out = append(out, doubt(codeStandby, cluster.StandingGood, "isStandby", "true"))
	}
	if e != nil && e.Status.ExpandError != "" && (e.expanding() || v.Status.ExpansionRequired) {
		out = append(out, doubt(codeExpandFailed, cluster.StandingUnknown, "lastExpansionError", e.Status.ExpandError))
	}
	if v.NumberOfReplicas < 1 {
		out = append(out, doubt(codeNoCount, cluster.StandingUnknown, "numberOfReplicas", fmt.Sprint(v.NumberOfReplicas)))
	}
	if _, ok := stateOf(v.Status.State); !ok {
		unseen("state", v.Status.State)
	}
	if mediumOf(v.DataEngine) == "" {
		unseen("dataEngine", v.DataEngine)
	}
	switch v.DataLocality {
	case "", "disabled", "best-effort", "strict-local":
	default:
		unseen("dataLocality", v.DataLocality)
	}
	switch v.CloneMode {
	case "", "full-copy", "linked-clone":
	default:
		unseen("cloneMode", v.CloneMode)
	}
	switch v.Status.CloneStatus.State {
	case "", "initiated", "copy-completed-awaiting-healthy", "completed":
	case "failed":
		out = append(out, doubt(codeCloneFailed, cluster.StandingUnknown, "cloneStatus", "failed"))
	default:
		unseen("cloneStatus", v.Status.CloneStatus.State)
	}
	out = append(out, robustness(v, rs)...)
	return append(out, strangers(e, rs)...)
}

// robustness turns Longhorn's own word into a Doubt where it is worse than
// what the replicas say; it never makes anything better.
func robustness(v *volume, rs []cluster.Replica) []cluster.Doubt {
	word := v.Status.Robustness
	switch word {
	case "healthy", "unknown", "":
		return nil
	case "faulted":
		return []cluster.Doubt{doubt(codeFaulted, cluster.StandingFailed, "robustness", word)}
	case "degraded":
		serving := 0
		for _, r := range rs {
			if r.Claim == cluster.Serving && !r.Deleting {
				serving++
			}
		}
		if serving < v.NumberOfReplicas {
			return nil // the replicas say so themselves
		}
		return []cluster.Doubt{doubt(codeDegraded, cluster.StandingUnknown, "robustness", word)}
	default:
		return []cluster.Doubt{doubt(codeUnknownValue, cluster.StandingUnknown, "robustness", word)}
	}
}

// strangers finds what a running engine writes to without an object: an
// address may be used again by another replica's process, and a rebuild there
// then goes on in the place of a replica that is listed as whole.
func strangers(e *engine, rs []cluster.Replica) []cluster.Doubt {
	if e == nil || !e.running() {
		return nil
	}
	known := make(map[string]bool, len(rs))
	address := make(map[string]bool, len(rs))
	for _, r := range rs {
		known[r.Name] = true
		if a := e.Status.Addresses[r.Name]; a != "" {
			address["tcp://"+a], address[a] = true, true
		}
	}
	var out []cluster.Doubt
	for _, name := range sortedKeys(e.Status.Modes) {
		if mode := e.Status.Modes[name]; !known[name] && mode != "ERR" {
			out = append(out, doubt(codeStranger, cluster.StandingUnknown, "replicaModeMap", name+"="+mode))
		}
	}
	for _, at := range sortedKeys(e.Status.Rebuilds) {
		if e.Status.Rebuilds[at].running() && !address[at] {
			out = append(out, doubt(codeStranger, cluster.StandingUnknown, "rebuildStatus", at))
		}
	}
	return out
}

func names(es []*engine) string {
	out := make([]string, 0, len(es))
	for _, e := range es {
		out = append(out, e.Name)
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
