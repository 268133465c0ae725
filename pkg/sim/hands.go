// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const (
	// byHand is the ticket of a person who attaches a volume in the user interface.
	byHand = ""
	// somebody is what the volume says of that person where there are no tickets.
	somebody = "somebody"
)

// holders names who wants the volume attached: the tickets, or, in a version
// without them, whom the volume's own spec names.
func (w *World) holders(volume string) []string {
	if a, ok := w.model.Get(model.VolumeAttachments, volume).(*longhornapi.VolumeAttachment); ok {
		out := make([]string, 0, len(a.Spec.AttachmentTickets))
		for id := range a.Spec.AttachmentTickets {
			out = append(out, id)
		}
		return out
	}
	if v := w.object14(volume); v != nil && v.Spec.NodeID != "" {
		return []string{v.Spec.LastAttachedBy}
	}
	return nil
}

// object14 is the volume where there are no tickets, else nil.
func (w *World) object14(volume string) *longhornapi.Volume {
	v, ok := w.model.Get(model.Volumes, volume).(*longhornapi.Volume)
	if !ok || !w.opts.Behaviour.AttachesBySpec {
		return nil
	}
	return v
}

// heldByUs reports whether a roll holds the volume.
func (w *World) heldByUs(volume string) bool {
	for _, id := range w.holders(volume) {
		if strings.HasPrefix(id, "safe-roll-") {
			return true
		}
	}
	return false
}

// hold attaches a volume by hand on a node, any where it is empty, and lets it
// go some minutes later.
func (w *World) hold(volume, node string) {
	for _, n := range w.machines {
		if node == "" && n.role == "worker" && n.on && !n.cordoned {
			node = n.name
		}
	}
	if v := w.object14(volume); v != nil {
		if v.Spec.NodeID != "" || v.Status.State != longhornapi.VolumeStateDetached {
			return // the user interface does not offer it
		}
		w.spec(volume, map[string]any{"nodeID": node, "disableFrontend": false, "lastAttachedBy": somebody})
	} else {
		w.must(w.model.SetTicket(volume, longhornapi.AttachmentTicket{
			ID: byHand, Type: longhornapi.AttacherTypeLonghornAPI, NodeID: node,
			Parameters: map[string]string{longhornapi.AttachmentParameterDisableFrontend: longhornapi.FalseValue},
		}))
	}
	w.say("somebody attaches %s on %s", volume, node)
	w.after(w.some(5*time.Minute), func() { w.letGo(volume) })
}

// letGo takes back what hold did, if it still stands.
func (w *World) letGo(volume string) {
	if v := w.object14(volume); v != nil {
		if v.Spec.LastAttachedBy == somebody {
			w.spec(volume, map[string]any{"nodeID": "", "disableFrontend": false, "lastAttachedBy": ""})
		}
		return
	}
	if w.model.Get(model.VolumeAttachments, volume) != nil {
		w.must(w.model.RemoveTicket(volume, byHand))
	}
}

// spec has Longhorn's own API change a volume.
func (w *World) spec(volume string, spec map[string]any) {
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err == nil {
		err = w.model.Patch(model.Ref{Kind: model.Volumes, Name: volume}, patch)
	}
	if err != nil {
		w.say("%v", fmt.Errorf("volume %s: %w", volume, err))
	}
}
