// SPDX-License-Identifier: Apache-2.0

package rollbench_test

import (
	"os"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/rollbench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
)

// A small roll is measured from its first look to its last, and all of its time is
// somebody's.
func TestRoll_SaysWhoseTheTimeWas(t *testing.T) {
	t.Parallel()
	r := rollbench.Roll{Nodes: 3, Volumes: 20, LookInterval: 2 * time.Second, Log: os.Stderr}
	w := worldtest.Start(t, r.Options())
	res, err := r.Run(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(res.Table())
	for _, wrong := range res.Wrong {
		t.Error(wrong)
	}
	sum := res.Waits()
	for _, d := range res.Own {
		sum += d
	}
	if sum != res.Total {
		t.Errorf("of %s there are %s in the ledger", res.Total, sum)
	}
	if len(res.Reactions) < 3*r.Nodes {
		t.Errorf("only %d waits ended by news", len(res.Reactions))
	}
	// A whole look is some twenty lists; a wait needs none but of leases.
	if n := res.Waiting["lists"]; n > 20 {
		t.Errorf("%d lists were asked for while it waited", n)
	}
}
