// SPDX-License-Identifier: Apache-2.0

package model

import "time"

// Behaviour says in what the imitated Longhorn version differs from others.
type Behaviour struct {
	// Version is the release that the images are labelled with, such as v1.8.1.
	Version string
	// StartsWithoutData: a replica is started although its disk is not among
	// the disks of its node, and finds an empty directory (v1.4.0
	// controller/replica_controller.go; guarded by accident since v1.5.0).
	StartsWithoutData bool
	// RevisionCounter: new volumes count their writes, so that an engine can
	// tell a blank replica from one with data as long as one of the latter is
	// left (default up to v1.6).
	RevisionCounter bool
	// KeepsNodes: the node object outlives its Kubernetes node, and a machine of
	// the same name takes it up again (since v1.10.0).
	KeepsNodes bool
	// OfflineRebuilding: a detached volume can be rebuilt, where it or a setting
	// says so (v1 engine: since v1.9.0).
	OfflineRebuilding bool
	// ForgetsDetached: an eviction leaves detached volumes where they are (issues
	// 9781 and 9857, mended in v1.6.4, v1.7.3 and v1.8.0).
	ForgetsDetached bool
	// AttachesBySpec: a volume is attached by its own spec.nodeID; there are no
	// tickets and no attachment objects (before v1.5.0).
	AttachesBySpec bool
	// OverProvisioning is the default of storage-over-provisioning-percentage.
	OverProvisioning int
}

// Lacks returns the kinds that the version does not have.
func (b Behaviour) Lacks() []Kind {
	if b.AttachesBySpec {
		return []Kind{VolumeAttachments}
	}
	return nil
}

// V181 behaves as Longhorn v1.8.1.
func V181() Behaviour { return Behaviour{Version: "v1.8.1", OverProvisioning: 100} }

// V172 behaves as Longhorn v1.7.2 where an eviction is concerned.
func V172() Behaviour {
	return Behaviour{Version: "v1.7.2", OverProvisioning: 100, ForgetsDetached: true}
}

// V1100 behaves as Longhorn v1.10.0 where nodes that go and offline rebuilding
// are concerned; for what it has in common with v1.8.1 it is that.
func V1100() Behaviour {
	return Behaviour{Version: "v1.10.0", OverProvisioning: 100, KeepsNodes: true, OfflineRebuilding: true}
}

// V140 behaves as Longhorn v1.4.0 where that matters for the loss of data, and
// in how volumes are attached.
func V140() Behaviour {
	return Behaviour{Version: "v1.4.0", StartsWithoutData: true, RevisionCounter: true, AttachesBySpec: true, OverProvisioning: 200}
}

// Timing is how long things take. Durations of zero happen at the next step.
type Timing struct {
	ManagerStart time.Duration // from a running manager to its Longhorn node object
	DiskReady    time.Duration // from the node object to a schedulable disk
	NodeGone     time.Duration // from the deletion of the Kubernetes node to KubernetesNodeGone
	NodeRemoved  time.Duration // from there until the Longhorn node object is gone
	ReplicaStart time.Duration // of a replica process
	EngineStart  time.Duration // of an engine process
	Stop         time.Duration // of either
	Monitor      time.Duration // until the manager has read an engine's replica modes
	ReplicaLost  time.Duration // until an engine gives up a replica that does not answer
	Evict        time.Duration // until a requested eviction attaches a detached volume
	RebuildStart time.Duration // from a running new replica until data is copied
	Rebuild      time.Duration // of copying one replica, where SetRebuild says nothing else
	Reuse        time.Duration // before a failed replica is tried once more
}

// SeenTiming holds the times observed on a running manager.
func SeenTiming() Timing {
	return Timing{
		ManagerStart: 10 * time.Second, DiskReady: 10 * time.Second,
		NodeGone: 3 * time.Second, NodeRemoved: 15 * time.Second,
		ReplicaStart: time.Second, EngineStart: time.Second, Stop: time.Second,
		Monitor: 5 * time.Second, ReplicaLost: 8 * time.Second, Evict: 10 * time.Second,
		RebuildStart: 3 * time.Second, Rebuild: 8 * time.Second, Reuse: 60 * time.Second,
	}
}

// FastTiming keeps the order of events and shortens the waits, for a bench
// that runs in real time. Nothing takes zero time, so that every state in
// between can be observed.
func FastTiming() Timing {
	return Timing{
		ManagerStart: 300 * time.Millisecond, DiskReady: 200 * time.Millisecond,
		NodeGone: 300 * time.Millisecond, NodeRemoved: 700 * time.Millisecond,
		ReplicaStart: 100 * time.Millisecond, EngineStart: 100 * time.Millisecond, Stop: 50 * time.Millisecond,
		Monitor: 100 * time.Millisecond, ReplicaLost: 300 * time.Millisecond, Evict: 300 * time.Millisecond,
		RebuildStart: 100 * time.Millisecond, Rebuild: 600 * time.Millisecond, Reuse: 2 * time.Second,
	}
}
