// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Wake returns the change that adds a ticket of our own to the volume's
// attachment: Longhorn then attaches the volume on that node, and rebuilds
// what is missing. With the frontend disabled no device appears, so nothing
// can mount or format it; Longhorn's own controllers ask for "any", which
// leaves the frontend on (v1.12.0 controller/volume_attachment_controller.go,
// setAttachmentParameter). The generation is Longhorn's to fill in.
//
// Before 1.5 there are no tickets: the volume itself says where it shall be,
// who asked for it, and that it shall have no device, as Longhorn's own API
// writes it (v1.4.0 manager/volume.go Attach). A workload that wants it
// meanwhile waits, so whoever woke it must watch for one.
func (Storage) Wake(st *cluster.Storage, v cluster.Volume, node, id string) ([]plugin.Change, error) {
	if node == "" {
		return nil, fmt.Errorf("volume %s cannot be attached without a node", v.Name)
	}
	if beforeTickets(st, v) {
		return attachChange(st, v, node, id)
	}
	c, err := ticketChange(st, v, id, map[string]any{
		"id": id, "type": "longhorn-api", "nodeID": node,
		"parameters": map[string]string{"disableFrontend": "true", "lastAttachedBy": "safe-roll"},
	})
	if err != nil {
		return nil, err
	}
	c.Expect = []cluster.Fact{{Name: idPath(id), Value: ""}}
	c.Says = fmt.Sprintf("volume %s is held attached on %s without a device (ticket %s)", v.Name, node, id)
	return []plugin.Change{c}, nil
}

// Sleep returns the change that takes our ticket away, and no other; none
// where the volume has no such ticket. Before 1.5 it is the volume itself that
// is asked to detach, if it still is as we left it.
func (Storage) Sleep(st *cluster.Storage, v cluster.Volume, id string) ([]plugin.Change, error) {
	held := false
	for _, h := range v.Holds {
		held = held || h.ID == id
	}
	switch {
	case !held:
		return nil, nil
	case beforeTickets(st, v):
		return detachChange(st, v, id)
	}
	c, err := ticketChange(st, v, id, nil)
	if err != nil {
		return nil, err
	}
	c.Expect = []cluster.Fact{
		{Name: idPath(id) + ".id", Value: id},
		{Name: idPath(id) + ".type", Value: "longhorn-api"},
	}
	c.Says = fmt.Sprintf("volume %s is let go (ticket %s is taken back)", v.Name, id)
	return []plugin.Change{c}, nil
}

// beforeTickets reports whether the version attaches volumes without tickets.
func beforeTickets(st *cluster.Storage, v cluster.Volume) bool {
	minor, ok := minorOf(st.Version)
	return ok && minor < ticketsMinor && v.HoldsUID == ""
}

// attachChange attaches a detached volume that nobody has asked for.
func attachChange(st *cluster.Storage, v cluster.Volume, node, id string) ([]plugin.Change, error) {
	c, err := volumeChange(st, v, id, map[string]any{"nodeID": node, "disableFrontend": true, "lastAttachedBy": id})
	if err != nil {
		return nil, err
	}
	c.Expect = []cluster.Fact{{Name: "spec.nodeID", Value: ""}, {Name: "status.state", Value: "detached"}}
	c.Says = fmt.Sprintf("volume %s is attached on %s without a device (by %s)", v.Name, node, id)
	return []plugin.Change{c}, nil
}

// detachChange takes that back; whoever attached the volume since has written
// another name, and is left alone.
func detachChange(st *cluster.Storage, v cluster.Volume, id string) ([]plugin.Change, error) {
	c, err := volumeChange(st, v, id, map[string]any{"nodeID": "", "disableFrontend": false, "lastAttachedBy": ""})
	if err != nil {
		return nil, err
	}
	c.Expect = []cluster.Fact{{Name: "spec.lastAttachedBy", Value: id}, {Name: "spec.disableFrontend", Value: "true"}}
	c.Says = fmt.Sprintf("volume %s is let go (attached by %s)", v.Name, id)
	return []plugin.Change{c}, nil
}

func volumeChange(st *cluster.Storage, v cluster.Volume, id string, spec map[string]any) (plugin.Change, error) {
	if !strings.HasPrefix(id, oursPrefix) || id == oursPrefix || v.Name == "" || v.UID == "" {
		return plugin.Change{}, fmt.Errorf("volume %q is attached only under a name of ours, by its identity", v.Name)
	}
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return plugin.Change{}, fmt.Errorf("the patch of volume %s: %w", v.Name, err)
	}
	return plugin.Change{
		Object: plugin.Object{Kind: kindOf(volumes), Namespace: st.Namespace, Name: v.Name, UID: v.UID}, Patch: patch,
	}, nil
}

// ticketChange is the merge patch that sets one key of the tickets, or takes
// it away where the ticket is nil.
func ticketChange(st *cluster.Storage, v cluster.Volume, id string, ticket map[string]any) (plugin.Change, error) {
	switch {
	case !strings.HasPrefix(id, oursPrefix) || id == oursPrefix:
		return plugin.Change{}, fmt.Errorf("ticket %q is not one of ours: they begin with %q", id, oursPrefix)
	case v.Name == "":
		return plugin.Change{}, errors.New("a volume without a name cannot be attached")
	case v.HoldsUID == "":
		return plugin.Change{}, fmt.Errorf("volume %s has no VolumeAttachment of longhorn.io (they exist from Longhorn 1.5 on), "+
			"so it cannot be attached by a ticket", v.Name)
	}
	var value any
	if ticket != nil {
		value = ticket
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"attachmentTickets": map[string]any{id: value}}})
	if err != nil {
		return plugin.Change{}, fmt.Errorf("the patch of volume %s: %w", v.Name, err)
	}
	return plugin.Change{
		Object: plugin.Object{Kind: kindOf(attachments), Namespace: st.Namespace, Name: v.Name, UID: v.HoldsUID},
		Patch:  patch,
	}, nil
}

// idPath is the dotted path of a ticket, with the dots of its ID escaped.
func idPath(id string) string {
	return ticketPath + "." + strings.ReplaceAll(id, ".", `\.`)
}
