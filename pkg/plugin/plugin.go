// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"iter"

	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Need says what a missing kind means.
type Need uint8

// The needs.
const (
	// Helpful kinds lower the evidence when they are missing.
	Helpful Need = iota
	// Needed kinds make a verdict impossible when they are missing.
	Needed
)

// Kind is one kind of object that a storage must see.
type Kind struct {
	Group    string
	Version  string
	Resource string // plural
	Name     string // the Kind, such as "Replica"
	Need     Need
	// Decides: its objects are watched while a roll waits.
	Decides bool
}

// Storage is a storage system. All methods but Connect are pure, and safe for
// concurrent use.
type Storage interface {
	// Driver is the name of its CSI driver.
	Driver() string
	// DefaultNamespace is where it usually lives; the operator may override it.
	DefaultNamespace() string
	// Kinds are the kinds that it reads, all namespaced.
	Kinds() []Kind
	// Connect returns the REST client of the storage's own clientset for the
	// group of its kinds: observe lists, pages and watches, and act patches
	// through it.
	Connect(cfg *rest.Config) (rest.Interface, error)
	// NewReader returns an empty reader.
	NewReader() Reader
	// Codes documents the codes that its Doubts may carry.
	Codes() []CodeDoc
}

// Reader collects objects and joins them into facts. It is not safe for
// concurrent use.
type Reader interface {
	// Put decodes one object of the kind, as JSON. It must keep no reference
	// to item. An object that cannot be decoded is an error, never a guess.
	Put(k Kind, item []byte) error
	// Drop forgets the object of that kind with that UID.
	Drop(k Kind, uid cluster.UID)
	// Storage joins what was put. It may be called again after more Puts.
	Storage() (cluster.Storage, []cluster.Gap)
}

// Sequencer is a Reader that need not hold the facts of every volume at once.
type Sequencer interface {
	// Join is Storage without the volumes, and these as a sequence, sorted by
	// name, that makes each when it is asked for, as often as it is walked. The
	// next Put ends it.
	Join() (cluster.Storage, iter.Seq[cluster.Volume], []cluster.Gap)
}

// CodeDoc documents one code.
type CodeDoc struct {
	Code string
	// Means is one sentence; Remedy says what to do, and what not to do.
	Means  string
	Remedy string
}

// Object names one object of the storage to be changed.
type Object struct {
	Kind      Kind
	Namespace string
	Name      string
	// UID is the object's identity. Where the plugin only knows the volume's
	// (a hold lives in an object of the volume's name) it is empty and
	// Requires must pin the owner.
	UID cluster.UID
}

// Change is one change of one object. act checks Expect, applies, and looks.
type Change struct {
	Object Object
	// Patch is a JSON merge patch; empty for a deletion.
	Patch  []byte
	Delete bool
	// Expect lists values that must be found at dotted paths before the change
	// (a path that must be absent has the value ""); anything else is a
	// conflict. Dots in a key are escaped with a backslash.
	Expect []cluster.Fact
	// Says is one sentence for the journal and for dry runs.
	Says string
}

// Evacuator changes what a storage node accepts.
type Evacuator interface {
	// Place returns the changes that make the node's placement `to`, expecting
	// it to be `was` now.
	Place(st *cluster.Storage, node cluster.StorageNode, was, to cluster.Placement) ([]Change, error)
}

// Rebuilder wakes detached volumes so that the storage rebuilds them, and lets
// them sleep again.
type Rebuilder interface {
	// Wake holds the volume attached on the node, without any device that a
	// workload or a mount could use, under the given hold ID.
	Wake(st *cluster.Storage, v cluster.Volume, node, id string) ([]Change, error)
	// Sleep takes back the hold with that ID, and no other.
	Sleep(st *cluster.Storage, v cluster.Volume, id string) ([]Change, error)
}

// Tuner sets values that its storage's facts name as knobs.
type Tuner interface {
	// Knobs names those that its facts may offer, of the storage and of a volume.
	Knobs() (ofStorage, ofVolume []string)
	// Tune returns the changes that set the knob from its Value, which is
	// expected now, to Aside; v is the volume that it belongs to, or nil.
	Tune(st *cluster.Storage, v *cluster.Volume, k cluster.Knob) ([]Change, error)
}

// Fitter sets up a storage node.
type Fitter interface {
	// Fit returns the changes that give the node these tags, and its disks at
	// these paths their tags and reserved space.
	Fit(st *cluster.Storage, node cluster.StorageNode, want cluster.StorageFittings) ([]Change, error)
}

// Forgetter removes the storage's object of a node whose machine is gone.
type Forgetter interface {
	Forget(st *cluster.Storage, node cluster.StorageNode) ([]Change, error)
}

// Pruner removes the objects of replicas whose data are proven gone.
type Pruner interface {
	Prune(st *cluster.Storage, v cluster.Volume, r cluster.Replica) ([]Change, error)
}
