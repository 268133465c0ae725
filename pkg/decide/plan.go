// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Goal is where a plan ends.
type Goal string

// The goals.
const (
	// UntilDeletable ends when the node may be deleted; the turn stays open.
	UntilDeletable Goal = "deletable"
	// UntilReplaced ends when every node was replaced and every volume is whole.
	UntilReplaced Goal = "replaced"
	// UntilRebootable ends when the node may be rebooted; the turn stays open.
	UntilRebootable Goal = "rebootable"
	// UntilRebooted ends when every node was rebooted and every volume is whole.
	UntilRebooted Goal = "rebooted"
)

// Reboots reports whether the nodes come back with their disks.
func (g Goal) Reboots() bool { return g == UntilRebootable || g == UntilRebooted }

// StaysOpen reports whether the plan ends before its machine goes.
func (g Goal) StaysOpen() bool { return g == UntilDeletable || g == UntilRebootable }

// ToReboot is the same goal where the machine is rebooted, and not replaced.
func (g Goal) ToReboot() Goal {
	if g.StaysOpen() {
		return UntilRebootable
	}
	return UntilRebooted
}

// Commands are how machines go and come. All empty: safe-roll says what to do
// now, and waits.
type Commands struct {
	Retire  string `json:"retire,omitempty"`
	Create  string `json:"create,omitempty"`
	Replace string `json:"replace,omitempty"`
	Reboot  string `json:"reboot,omitempty"`
	// DeleteNode: safe-roll deletes the Node object itself.
	DeleteNode bool `json:"deleteNode,omitempty"`
}

// PlannedTurn is one node of a plan, in order.
type PlannedTurn struct {
	Node       cluster.NodeRef `json:"node"`
	ProviderID string          `json:"providerID,omitempty"`
	Strategy   policy.Strategy `json:"strategy"` // Evict, Refill or Stay
	Why        string          `json:"why"`
	// Replicas is how many are moved or rebuilt, Bytes how much is copied.
	Replicas int   `json:"replicas,omitempty"`
	Bytes    int64 `json:"bytes,omitempty"`
	// Roles are the labels by which a replacement is recognised.
	Roles map[string]string `json:"roles,omitempty"`
}

// Plan fixes who and why. It is plain data, and small: it goes into the journal
// without its volumes. The steps are chosen at every tick.
type Plan struct {
	// Run identifies the roll; it is part of the name of every hold we place.
	Run  string `json:"run"`
	Goal Goal   `json:"goal"`
	// Heals is how many volumes were to be mended before the first turn.
	Heals    int           `json:"heals,omitempty"`
	Turns    []PlannedTurn `json:"turns"`
	Commands Commands      `json:"commands"`
	// Selector, if not empty, recognises replacements instead of Roles, as
	// key=value pairs that must all match.
	Selector map[string]string `json:"selector,omitempty"`
	// Replacement is what is known beforehand of the machines to come.
	Replacement forecast.Replacement `json:"replacement,omitzero"`
	// Probe: directories of replicas are looked into, by whoever goes on too.
	Probe bool `json:"probe,omitempty"`
	// Settings is a hash of the storages' settings that decided the plan.
	Settings string        `json:"settings,omitempty"`
	Policy   policy.Policy `json:"policy"`
}

// Spread prolongs a pause by up to a quarter, so that those who were refused
// together do not come back together. By how much, the run and the number of the try
// say: nothing is drawn, and one roll always waits the same.
func (p *Plan) Spread(pause time.Duration, try int) time.Duration {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", p.Run, try))
	return pause + pause/4*time.Duration(sum[0])/255
}

// settingsOf is a hash of the settings that decide placement or deletion. The
// one that only holds rebuilds back, and that a roll may set aside, is none.
func settingsOf(s *cluster.Snapshot) string {
	var b strings.Builder
	for i := range s.Storages {
		st := &s.Storages[i]
		for _, f := range st.Settings {
			if st.HoldBack == nil || f.Name != st.HoldBack.Name {
				fmt.Fprintf(&b, "%q %q %q\n", st.Driver, f.Name, f.Value)
			}
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
