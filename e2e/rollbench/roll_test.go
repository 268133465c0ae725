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
	// A whole look is some twenty lists. There are eight of them in a turn: before
	// and after what cannot be taken back, and two at each gate. A wait needs none;
	// what it hears last, and so ends with, may have been said during one: on a busy
	// machine, at both gates of a turn.
	if n := res.Waiting["lists"]; n > 2*20*r.Nodes {
		t.Errorf("%d lists were asked for while it waited", n)
	}
	if n := res.All["lists"]; n > 20*10*(r.Nodes+1) {
		t.Errorf("%d lists were asked for: more than ten looks a turn", n)
	}
	if n := res.All["watches begun"]; n > 40 {
		t.Errorf("%d watches were begun: they do not outlive deeds and looks", n)
	}
}
