// SPDX-License-Identifier: Apache-2.0

package act

import (
	"encoding/json"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// marks gathers the objects that the deed in hand has read and changed.
type marks struct{ of []cluster.Mark }

// Marks tells which objects the last deed has read and changed, and in which
// versions: whoever goes on observing by events has caught up with the deed once
// it has seen them all. Empty where that cannot be told, as of a command.
func (a *Actor) Marks() []cluster.Mark { return slices.Clone(a.marks.of) }

// saw notes the object as the server has just answered it.
func (m *marks) saw(path []string, body []byte) {
	var o struct {
		Metadata struct {
			UID     cluster.UID `json:"uid"`
			Version string      `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if json.Unmarshal(body, &o) != nil {
		o.Metadata.Version = "" // then nothing is known of it
	}
	m.of = append(m.of, cluster.Mark{Kind: spelled(path), UID: o.Metadata.UID, Version: o.Metadata.Version})
}

// going notes that the object of that UID is on its way out, or gone.
func (m *marks) going(path []string, uid cluster.UID) {
	m.of = append(m.of, cluster.Mark{Kind: spelled(path), UID: uid})
}

// spelled is the resource of an object's path with its group.
func spelled(path []string) string {
	resource := path[len(path)-2]
	if path[0] == "/apis" {
		return resource + "." + path[1]
	}
	return resource
}
