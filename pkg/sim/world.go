// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const gib = 1 << 30

// Options is how a world is made.
type Options struct {
	// Seed decides every name, every choice and every order.
	Seed uint64
	// Behaviour of the Longhorn version; the zero value is model.V181().
	Behaviour model.Behaviour
	// Settings overrides Longhorn's own defaults, by name.
	Settings map[string]string
	// DiskSize is what each disk holds, in bytes; 0 means 100 GiB.
	DiskSize int64
}

// World is a cluster in memory. Its methods may be called concurrently; what
// they do is the same at every run only where they are not.
type World struct {
	mu     sync.Mutex
	opts   Options
	rand   *rand.Rand
	model  *model.Model
	disks  *hardware
	reader plugin.Reader
	kinds  map[string]plugin.Kind

	now      time.Time // how far the world has been stepped
	serial   int
	machines []*machine // by name
	pods     []*pod     // by name
	loads    []*workload
	volumes  []*volume
	named    map[string]*volume
	links    []*link          // Kubernetes' VolumeAttachments
	linked   map[string]*link // by volume
	later    []event          // what is to happen, by time

	stirs     int                     // counts whatever happens
	disturbed int                     // counts what others did that had an effect
	inside    map[types.UID]time.Time // when somebody last looked into a replica's directory
	refused   []assess.Finding        // why the last plan was
	saboteur                          // of tests
	edits     int                     // counts what Kubernetes' controllers do
	roster    int                     // counts pods and volumes that come or go
	told      int                     // the roster of which the storage was told
	listed    int                     // and that of which bound is
	ips       int                     // counts addresses that were given to pods
	touched   bool                    // something was changed since everything was settled
	quiet     time.Time               // until when the storage has nothing to do, if not touched
	revision  cluster.Revision
	storage   cluster.Storage // the last translation
	gaps      []cluster.Gap
	bound     []cluster.PersistentVolume // the last list of volumes
	seen      uint64                     // the model's revision that the reader has
	known     map[model.Ref]known
	partial   partial       // the last translation of a part of it
	lag       time.Duration // how old the last look was
	versions  map[model.Ref]int
	managed   managed             // which fields are by us
	snapshots []*cluster.Snapshot // the latest last, a few

	probing bool // the tool looks into directories
	// openings are when we last had volumes opened: by the volume's name, or by that
	// of the node that they leave. entrusted are those that we have rebuilt asleep.
	openings  map[string]time.Time
	entrusted map[string]bool
	coming    int64 // how large the disks of machines to come are

	truth     oracle.Truth
	processes int                  // counts those that were connected
	built     map[cluster.UID]bool // machines for which another was made
	busy      map[string]time.Time // until when a command for a machine runs
	asked     map[string]bool      // boots that were asked to end
	log       []string
}

// event is something that happens at a time.
type event struct {
	at time.Time
	do func()
}

// New returns a world without machines. It must be called inside a bubble of
// testing/synctest, whose clock is the world's.
func New(o Options) (*World, error) {
	if o.Behaviour.Version == "" {
		o.Behaviour = model.V181()
	}
	if o.DiskSize == 0 {
		o.DiskSize = 100 * gib
	}
	w := &World{
		opts: o, rand: rand.New(rand.NewPCG(o.Seed, 0x73696d)), disks: newHardware(),
		reader: longhorn.New().NewReader(), kinds: map[string]plugin.Kind{}, now: time.Now().Round(0),
		named: map[string]*volume{}, linked: map[string]*link{}, openings: map[string]time.Time{}, entrusted: map[string]bool{}, managed: managed{}, known: map[model.Ref]known{}, versions: map[model.Ref]int{}, built: map[cluster.UID]bool{}, asked: map[string]bool{}, busy: map[string]time.Time{}, inside: map[types.UID]time.Time{},
	}
	for _, k := range longhorn.New().Kinds() {
		w.kinds[k.Resource] = k
	}
	w.touched = true
	w.disks.missed = w.missed
	w.model = model.New(model.Options{Behaviour: o.Behaviour, Seed: o.Seed}, w.disks)
	w.settle()
	for name, value := range o.Settings {
		if err := w.set(name, value); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// next returns a number that nothing else has.
func (w *World) next() int { w.serial++; return w.serial }

func (w *World) uid(what string) cluster.UID {
	return cluster.UID(fmt.Sprintf("%s-%04d", what, w.next()))
}

func (w *World) say(format string, args ...any) {
	w.log = append(w.log, w.now.UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// after has something happen after d.
func (w *World) after(d time.Duration, do func()) {
	e := event{at: w.now.Add(d), do: do}
	i, _ := slices.BinarySearchFunc(w.later, e, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), -1) // behind those of the same time
	})
	w.later = slices.Insert(w.later, i, e)
}

// catchUp steps the world to the present. While nobody touches anything and
// nothing is due there is nothing to step.
func (w *World) catchUp() {
	to := time.Now().Round(0)
	for {
		due := w.due()
		if due.IsZero() || due.After(to) {
			w.now = to
			return
		}
		if due.After(w.now) {
			w.now = due
		}
		w.touched = true
		for len(w.later) > 0 && !w.later[0].at.After(w.now) {
			e := w.later[0]
			w.later = w.later[1:]
			w.stirs++
			e.do()
		}
	}
}

// due returns when the next thing happens if nobody does anything; zero for
// never.
func (w *World) due() time.Time {
	if w.touched {
		w.quiet = w.settle()
		w.touched = false
	}
	if len(w.later) > 0 && (w.quiet.IsZero() || w.later[0].at.Before(w.quiet)) {
		return w.later[0].at
	}
	return w.quiet
}

const (
	// passes bounds how often everything is stepped at one moment. A storage
	// that tries the same in vain for ever, such as to start a replica on a
	// machine that has just gone dark, tries again a breath later.
	passes = 60
	breath = time.Second
)

// settle lets Kubernetes and Longhorn react until nothing changes, and returns
// when something is due; zero for never.
func (w *World) settle() time.Time {
	for range passes {
		edits := w.edits
		w.syncMachines()
		w.syncPods()
		w.syncLinks()
		p := w.model.Step(w.now)
		w.watchBytes(oracle.Storage)
		if p.Changed {
			w.stirs++
		}
		if !w.kubeletWork() && !p.Changed && w.edits == edits {
			return p.Next
		}
	}
	return w.now.Add(breath)
}

// lapse lets virtual time pass; it takes none.
func lapse(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble nobody waits for it
}
