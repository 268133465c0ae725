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
// Before 1.5 there are no tickets; such a volume cannot be woken this way.
func (Storage) Wake(st *cluster.Storage, v cluster.Volume, node, id string) ([]plugin.Change, error) {
	if node == "" {
		return nil, fmt.Errorf("volume %s cannot be attached without a node", v.Name)
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
// where the volume has no such ticket, or cannot have: a roll whose Wake failed
// before 1.5 must still be able to end.
func (Storage) Sleep(st *cluster.Storage, v cluster.Volume, id string) ([]plugin.Change, error) {
	held := false
	for _, h := range v.Holds {
		held = held || h.ID == id
	}
	if minor, ok := minorOf(st.Version); !held || ok && minor < ticketsMinor && v.HoldsUID == "" {
		return nil, nil
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
