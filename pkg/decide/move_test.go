// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// What sleeps is opened by the storage to be moved: a replica whose directory may be
// missing would be made anew, blank, and copied.
func TestBar_MovesNothingThatMayBeStartedBlank(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.opened()
	f.volume().Replicas[0].Claim = cluster.ClaimUnknown
	w := wantWait(t, f.next(), decide.Bar)
	if len(w.Left) != 1 || !strings.Contains(w.Left[0], f.volume().Replicas[0].Name) {
		t.Errorf("%+v", w)
	}
	f.volume().Replicas[0].Claim = cluster.Idle
	wantAct(t, f.next(), decide.Place)
}
