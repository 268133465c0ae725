// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// Storage is what one storage system says of itself, translated by its plugin.
type Storage struct {
	// Driver is the CSI driver's name, and the plugin's.
	Driver string
	// Namespace is where its own pods and objects live.
	Namespace string
	// Reporter is the DaemonSet in Namespace whose pod on a node reports for it:
	// while that pod is not ready, all that is said of the node is of the past.
	// Empty for none.
	Reporter string
	// Version as it reports itself; empty where unknown.
	Version string
	Nodes   []StorageNode
	Volumes []Volume
	// Settings that decide placement or deletion, sorted by name.
	Settings []Fact
	// RebuildsPerNode is how many replicas it writes on one node at once; 0 where
	// that is not known or there is no limit.
	RebuildsPerNode int
	// HoldBack makes it hold rebuilds back in the hope that a failed replica
	// returns; nil where nothing does.
	HoldBack *Knob
	// KeepsNodes: its object for a node outlives the machine, and a machine of
	// the same name takes it up again with the old disks.
	KeepsNodes Answer
	// Bases are the images that volumes may be layered upon, sorted by name.
	Bases []Base
	// Orphans are data that lie on a disk without an object of their own, sorted
	// by name.
	Orphans []Orphan
	// Reported is the newest time found in the storage's own status.
	Reported time.Time
	Doubts   []Doubt
}

// StorageNode is the storage system's own object for a node.
type StorageNode struct {
	Name        string
	UID         UID
	Created     time.Time
	Ready       Answer
	ReadyReason string
	Deleting    bool
	// Serving is whether its data plane runs there.
	Serving Answer
	// Placement is what may be placed there.
	Placement Placement
	// Schedulable is the storage's own conclusion whether replicas may be placed.
	Schedulable Answer
	Zone        string
	Tags        []string
	Disks       []Disk
	// Holds is how many engines or shares the storage still says run there.
	Holds int
	// Runtimes are the engine programs that are ready there, sorted.
	Runtimes []string
	// Reported is the newest time in its status.
	Reported time.Time
}

// Placement is what a storage node is told to accept.
type Placement struct {
	// Accept: new replicas may be placed here.
	Accept bool `json:"accept"`
	// Evacuate: the storage shall move every replica away.
	Evacuate bool `json:"evacuate"`
}

// Disk is one disk of a storage node.
type Disk struct {
	Name string
	// UUID is the identity that the disk itself carries.
	UUID string
	// Path is cleaned (no trailing slash).
	Path string
	// Declared: the operator's configuration lists it. Reported: the status does.
	Declared    bool
	Reported    bool
	Ready       Answer
	ReadyReason string
	Schedulable Answer
	Accept      bool
	Evacuate    bool
	Tags        []string
	// Medium is what kind of disk it is, in the storage's words; a volume's
	// replicas fit only on its own Medium.
	Medium string
	// Bytes.
	Maximum   int64
	Available int64
	Reserved  int64
	Scheduled int64
}

// Orphan is a replica's directory that no replica object names. It may be old,
// foreign, or the last copy of a volume.
type Orphan struct {
	Name string
	UID  UID
	// Node and DiskUUID are where it lies, as far as the storage says.
	Node     string
	DiskUUID string
	// Directory is its name on the disk, Volume the volume that it was made
	// for; empty where the name does not tell.
	Directory string
	Volume    string
}

// VolumeState is what the storage says a volume is doing.
type VolumeState uint8

// The states of a volume.
const (
	StateUnknown VolumeState = iota
	Detached
	Attaching
	Attached
	Detaching
	Creating
	Deleting
)

// Class is what kind of volume it is, where that changes how it is judged.
type Class uint8

// The classes of volumes.
const (
	ClassUnknown     Class = iota
	ClassOrdinary          // replicas are whole copies
	ClassStandby           // follows a backup elsewhere; never woken
	ClassLinkedClone       // shares data with its source; cannot be rebuilt alone
	ClassSharded           // shards, not copies
)

// Volume is a volume of a storage system.
type Volume struct {
	Name string
	UID  UID
	// Handle is what a PersistentVolume calls it.
	Handle string
	Class  Class
	// Want is the configured number of replicas, Need the fewest that still
	// hold the data.
	Want int
	Need int
	// Pinned: its replicas cannot be moved or rebuilt elsewhere.
	Pinned bool
	// SharesNode, SharesZone and SharesDisk: several replicas may lie together.
	SharesNode Answer
	SharesZone Answer
	SharesDisk Answer
	// Spreads: the storage moves replicas that lie together apart by itself.
	Spreads  Answer
	NodeTags []string
	DiskTags []string
	// Medium is the kind of disk that its replicas need; empty where unknown.
	Medium string
	// Runtime is the engine program that must be ready on a node before a
	// replica can be placed there; empty for none.
	Runtime string
	// Base is the image that its replicas are layered upon; empty for none.
	Base string
	// Size and Used are in bytes.
	Size  int64
	Used  int64
	State VolumeState
	// Busy names what must end before the volume can be judged, such as
	// "restoring"; empty for none.
	Busy []string
	// Touched: there is a sign that it was ever written or mounted.
	Touched bool
	// Mounted: a workload has used it, so that something was written.
	Mounted bool
	// Pause is why the storage holds back the volume's rebuild; nil where it does
	// not. Hindered are reasons for which it cannot get on, each one sentence in
	// its words.
	Pause    *Pause
	Hindered []string
	// NoRebuild is why no replica of it is ever rebuilt, CanRebuild the way out.
	NoRebuild, CanRebuild string
	// SelfRebuild makes the storage rebuild the volume while it sleeps; nil where
	// it cannot, or not reliably.
	SelfRebuild *Knob
	Engine      Engine
	Replicas    []Replica
	Holds       []Hold
	// HoldsUID is the identity of the object that lists the holds; empty where
	// the storage has none.
	HoldsUID UID
	Doubts   []Doubt
	// Created is when the volume object was made.
	Created time.Time
}

// Engine is the process that serves an attached volume.
type Engine struct {
	// Present: the storage has exactly one current engine for the volume.
	Present Answer
	Name    string
	UID     UID
	Running Answer
	// Node is where it runs or shall run; empty for none.
	Node string
	// Owner is the node whose manager reports it.
	Owner string
	// Ever: it was started at least once.
	Ever Answer
}

// HoldKind is who holds a volume attached.
type HoldKind uint8

// The kinds of holds.
const (
	HoldUnknown  HoldKind = iota
	HoldWorkload          // a pod wants it
	HoldStorage           // the storage itself: eviction, rebuild, backup
	HoldOther             // a person or another program
	HoldOurs              // safe-roll woke it
)

// Hold is one reason for which a volume is attached or shall be.
type Hold struct {
	ID   string
	Kind HoldKind
	Node string
	// Why is the storage's word for it.
	Why string
}

// Claim is what the storage says of a replica.
type Claim uint8

// The claims.
const (
	ClaimUnknown Claim = iota
	Serving            // read-write in a running engine
	Idle               // stopped, and said to be whole
	Rebuilding         // being written from others
	Failed             // said to be bad
	Placeholder        // an object without data: not scheduled, or not counted
	Untouched          // never healthy and never failed: no data was ever in it
)

// Replica is one copy of a volume's data, as the storage describes it.
type Replica struct {
	Name  string
	UID   UID
	Claim Claim
	// Node is the node's name in the storage's words; a name, no identity.
	Node      string
	DiskUUID  string
	DiskPath  string
	Directory string
	// Owner is the node whose manager reports it.
	Owner string
	// Deleting: being removed. Leaving: the storage was asked to move it away.
	Deleting  bool
	Leaving   bool
	Created   time.Time
	HealthyAt time.Time
	FailedAt  time.Time
	// Progress of a rebuild, 0 to 100.
	Progress int
	Doubts   []Doubt
	// Probe is what a look into its directory found; nil where none was asked for.
	Probe *Probe
}

// Doubt is what a plugin adds to a claim: a reason to believe less. A plugin
// may doubt, never vouch.
type Doubt struct {
	Code string
	// Says is the reason as a clause, as in "its engine runs without it".
	Says  string
	Facts []Fact
	// AtMost is the best standing that is still possible.
	AtMost Standing
}
