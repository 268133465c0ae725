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
	copies      []string
	damaged     bool
	vanished    []vanishing
	reformatted bool
	claims      string // what was told to the model of who uses it
	// served is the node with its device, as it was when the model had stirred it so
	// often.
	served string
	stirs  uint64
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
	v.writes++
	v.bytes = fmt.Sprintf("%s#%d", v.name, v.writes)
	if err := w.disks.Write(a, []byte(v.bytes)); err != nil {
		w.say("write to %s: %v", v.name, err)
	}
	w.disks.changed[v.name] = true
	w.watchBytes(oracle.Nobody)
}

// mount looks for a file system on the device, and makes one where there is
// none: what was there before is then lost for good.
func (w *World) mount(v *volume, node string) bool {
	a, ok := w.model.Attached(v.name)
	if !ok || !a.Frontend || a.Node != node {
		return false
	}
	have, err := w.disks.Read(a)
	if err != nil {
		return false
	}
	if len(have) == 0 && v.bytes != "" {
		w.say("volume %s comes up blank and is formatted", v.name)
		v.reformatted = true
		w.truth.Losses = append(w.truth.Losses, oracle.Loss{At: w.now, Volume: v.name, By: oracle.Storage, Damaged: v.damaged})
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
