// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

// volume is what the world knows of a volume beside its objects.
type volume struct {
	name    string
	want    int
	deleted bool
	// bytes are the newest that were written; empty for never.
	bytes  string
	writes int
	// copies are the nodes on whose disks they lie whole.
	copies    []string
	damaged   bool
	vanished  []vanishing
	regressed bool   // it came up blank, or with older bytes
	claims    string // what was told to the model of who uses it
	// served is the node with its device, as it was when the model had stirred it so
	// often.
	served string
	stirs  uint64
	// stalled: a write would wait then. members are the directories that every write
	// goes to, and written those that the last one went to.
	stalled          bool
	members, written []model.Place
}

func (w *World) volume(name string) *volume {
	return w.named[name]
}

// create makes a volume that nobody has used.
func (w *World) create(name string, spec longhornapi.VolumeSpec) error {
	o := &longhornapi.Volume{Spec: spec}
	o.Name = name
	if err := w.model.Create(o); err != nil {
		return fmt.Errorf("create volume %s: %w", name, err)
	}
	w.roster++
	w.named[name] = &volume{name: name, want: spec.NumberOfReplicas}
	w.volumes = append(w.volumes, w.named[name])
	slices.SortFunc(w.volumes, func(a, b *volume) int { return cmp.Compare(a.name, b.name) })
	return nil
}

// drop deletes a volume, as somebody does who wants its data no more.
func (w *World) drop(v *volume) {
	w.say("volume %s is deleted", v.name)
	v.deleted = true
	w.roster++
	if w.model.Get(model.Volumes, v.name) != nil {
		if err := w.model.Delete(model.Ref{Kind: model.Volumes, Name: v.name}); err != nil {
			w.say("%v", err)
		}
	}
}

// write writes new bytes through the engine that serves the volume.
func (w *World) write(v *volume) {
	a, ok := w.model.Attached(v.name)
	if !ok || !a.Frontend {
		return
	}
	was := v.bytes
	v.writes++
	v.bytes, v.members, v.written = fmt.Sprintf("%s#%d", v.name, v.writes), a.Write, a.Write
	if err := w.disks.Write(a, []byte(was), []byte(v.bytes)); err != nil {
		w.say("write to %s: %v", v.name, err)
	}
	w.disks.changed[v.name] = true
	w.watchBytes(oracle.Nobody)
}

// mount looks for a file system on the device, and makes one where there is
// none: what was there before is then lost for good. So is what was written last
// where older bytes come up, or such as do not fit together. From there on what is
// written counts, whatever it is written over.
func (w *World) mount(v *volume, node string) bool {
	a, ok := w.model.Attached(v.name)
	if !ok || !a.Frontend || a.Node != node || a.Stalled {
		return false
	}
	have, err := w.disks.Read(a)
	mixed := errors.Is(err, memdisk.ErrMixed)
	if err != nil && !mixed {
		return false
	}
	if mixed || string(have) != v.bytes {
		w.say("volume %s comes up with %q (mixed %t), and %q was written last", v.name, have, mixed, v.bytes)
		v.regressed = true
		w.lose(v, oracle.Storage)
		v.bytes, v.copies = "", nil
	}
	w.write(v)
	return true
}

// link is Kubernetes' VolumeAttachment.
type link struct {
	name     string
	uid      cluster.UID
	volume   string
	node     string
	attached bool
	deleting bool
	stirs    uint64 // how often the model had stirred the volume when it was attached
}

func (w *World) linkOf(volume string) *link { return w.linked[volume] }

// syncLinks asks the storage for each link's volume, and takes that back when
// the link is deleted, which then waits until the volume has left its node.
func (w *World) syncLinks() {
	w.links = slices.DeleteFunc(w.links, func(l *link) bool {
		if !l.deleting {
			stirs := w.model.Stirs(l.volume)
			if l.attached && l.stirs == stirs {
				return false // and still is
			}
			l.stirs = stirs
			var err error
			if l.attached, err = w.model.Publish(l.volume, l.name, l.node); errors.Is(err, model.ErrBusy) {
				w.say("the pod of %s is refused its volume: %v", l.volume, err)
			}
			return false
		}
		l.attached = false
		gone := w.model.Unpublish(l.volume, l.name, l.node)
		if gone {
			w.edits++
			delete(w.linked, l.volume)
		}
		return gone
	})
}

func (w *World) must(err error) {
	if err != nil {
		w.say("%v", err)
	}
}

// tellClaims repeats to the model which pods use a volume.
func (w *World) tellClaims() {
	if w.told == w.roster {
		return
	}
	w.told = w.roster
	users := map[string][]*pod{}
	for _, p := range w.pods {
		if p.load != nil && p.load.volume != "" {
			users[p.load.volume] = append(users[p.load.volume], p)
		}
	}
	for _, v := range w.volumes {
		c := longhornapi.KubernetesStatus{
			PVName: "pv-" + v.name, PVStatus: "Bound", Namespace: namespace, PVCName: v.name,
		}
		key := "-"
		for _, p := range users[v.name] {
			c.WorkloadsStatus = append(c.WorkloadsStatus, longhornapi.WorkloadStatus{
				PodName: p.name, PodStatus: "Running", WorkloadName: p.load.name, WorkloadType: "StatefulSet",
			})
			key += p.name
		}
		if v.claims != key && !v.deleted {
			v.claims = key
			w.model.SetClaim(v.name, c)
		}
	}
}

// writing is how often a running pod writes.
const writing = 4 * time.Minute
