// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Class is a kind of volume, by what is done with it.
type Class uint8

// The classes of volumes.
const (
	Busy      Class = iota // attached by a pod all the time
	Asleep                 // written, then detached
	Unused                 // never attached
	Single                 // one replica, attached
	Alone                  // one replica, detached
	Guest                  // its user comes and goes all the time
	ByHand                 // attached by a person, without a pod
	Slow                   // its rebuilds take minutes
	Sharing                // its replicas may lie on one node
	Newcomer               // created in the middle of the roll
	Vanishing              // deleted in the middle of the roll
	Pair                   // two replicas, detached
	classes
)

// String returns the class's name.
func (c Class) String() string {
	return [...]string{
		"busy", "asleep", "unused", "single", "alone", "guest", "by-hand", "slow", "sharing", "newcomer", "vanishing", "pair",
	}[c]
}

// few reports whether a volume of the class has so few copies that a node of it
// can only go where its copies have somewhere to go first.
func (c Class) few() bool { return c == Single || c == Alone || c == Pair }

// Case is the shape of a cluster and of a roll.
type Case struct {
	// Workers carry storage; Roll of them are replaced.
	Workers int
	Roll    int
	// Replicas is how many copies most volumes have.
	Replicas int
	Classes  []Class
	Commands decide.Commands
	Goal     decide.Goal
	Strategy policy.Strategy
	// Accepted are risks that the operator takes.
	Accepted []policy.Risk
	// Old has Longhorn start replicas whose data are not there.
	Old bool
	// Kept has Longhorn keep its objects of nodes that are gone, and rebuild what
	// sleeps where it is asked to, as from 1.10 on.
	Kept bool
	// Probe has the tool look into the replicas' directories.
	Probe bool
	// Disk is the size of the workers' disks in bytes, NewDisk that of the machines
	// to come, and Said what the plan is told of those; 0 for what is usual.
	Disk, NewDisk, Said int64
	// Longest is the plan's longest wait; 0 for what is usual.
	Longest time.Duration
	// Pace of the storage; zero is as it was seen.
	Pace model.Timing
}

// Standard is a roll over every class of volume.
func Standard(workers, replicas int) Case {
	c := Case{
		Workers: workers, Roll: workers, Replicas: replicas, Goal: decide.UntilReplaced, Strategy: policy.Auto,
		Commands: decide.Commands{Retire: "retire", Create: "create"},
	}
	for k := range classes {
		// What shares a disk halts the roll once a turn on nodes with one disk
		// each: it has a test of its own.
		if workers > replicas || !k.few() && k != Sharing {
			c.Classes = append(c.Classes, k)
		}
	}
	return c
}

// populate makes the machines and the volumes of the case, and lets them be used.
func (w *World) populate(c Case) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.coming = cmp.Or(c.NewDisk, w.opts.DiskSize)
	w.join("control-plane", "control-plane", nil)
	for i := range c.Workers {
		w.join(fmt.Sprintf("worker-%d", i+1), "worker", w.disks.Blank(w.opts.DiskSize))
	}
	w.start(&workload{name: "web", want: 2, guarded: true})
	if err := w.until("the machines are usable", 5*time.Minute, func() bool {
		for _, n := range w.machines {
			if !w.usable(n) {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	for i, k := range c.Classes {
		if k != Newcomer {
			if err := w.bear(c, k, i); err != nil {
				return err
			}
		}
	}
	for _, l := range w.loads {
		if err := w.until(l.name+" runs", 5*time.Minute, func() bool { return w.running(l) }); err != nil {
			return err
		}
	}
	return w.putToBed(c)
}

// bear creates a volume of the class and starts what uses it.
func (w *World) bear(c Case, k Class, i int) error {
	name := fmt.Sprintf("%s-%d", k, i)
	spec := longhornapi.VolumeSpec{Size: 2 * gib, NumberOfReplicas: c.Replicas}
	switch k {
	case Single, Alone:
		spec.NumberOfReplicas = 1
	case Pair:
		spec.NumberOfReplicas = 2
	case Sharing:
		spec.ReplicaSoftAntiAffinity = longhornapi.ReplicaSoftAntiAffinityEnabled
	case Slow:
		w.model.SetRebuild(name, model.Rebuild{Duration: 7 * time.Minute})
	default:
	}
	if err := w.create(name, spec); err != nil {
		return err
	}
	if k != Unused {
		w.start(&workload{name: name, volume: name, want: 1})
	}
	return nil
}

// putToBed ends the pods of volumes that are to sleep, and waits until all is
// as the case says.
func (w *World) putToBed(c Case) error {
	for i, k := range c.Classes {
		switch k {
		case Asleep, Alone, ByHand, Vanishing, Pair:
			w.stop(fmt.Sprintf("%s-%d", k, i))
		default:
		}
	}
	return w.until("the volumes sleep", 5*time.Minute, func() bool {
		for i, k := range c.Classes {
			name := fmt.Sprintf("%s-%d", k, i)
			state := w.state(name)
			switch k {
			case Newcomer:
			case Busy, Single, Slow, Sharing, Guest:
				if state != "attached/healthy" {
					return false
				}
			default:
				if state != "detached/unknown" || len(w.links) > 0 && w.linkOf(name) != nil {
					return false
				}
			}
		}
		return true
	})
}

// until lets time pass until cond holds, for at most limit.
func (w *World) until(what string, limit time.Duration, cond func() bool) error {
	for end := w.now.Add(limit); ; {
		w.touched = true
		w.catchUp()
		if cond() {
			return nil
		}
		if w.now.After(end) {
			return fmt.Errorf("after %s still not: %s", limit, what)
		}
		w.mu.Unlock()
		lapse(time.Second)
		w.mu.Lock()
	}
}
