// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestSee_AReplicaThatHasChangedSinceWasNotSeen(t *testing.T) {
	looks := map[cluster.UID]cluster.Sighting{"r": {
		Of: cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "d"}, Probe: cluster.Probe{Seen: cluster.SeenData},
	}}
	for name, c := range map[string]struct {
		now  cluster.Replica
		seen bool
	}{
		"unchanged":         {cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "d"}, true},
		"serving":           {cluster.Replica{UID: "r", Claim: cluster.Serving, Node: "n", Directory: "d"}, false},
		"elsewhere":         {cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "m", Directory: "d"}, false},
		"on another disk":   {cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "d", DiskUUID: "x"}, false},
		"in another folder": {cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "e"}, false},
		"rebuilt since":     {cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "d", HealthyAt: time.Now()}, false},
		"another one":       {cluster.Replica{UID: "s", Claim: cluster.Idle, Node: "n", Directory: "d"}, false},
	} {
		storage := cluster.Storage{Volumes: []cluster.Volume{{Replicas: []cluster.Replica{c.now}}}}
		storage.See(looks)
		if got := storage.Volumes[0].Replicas[0].Probe != nil; got != c.seen {
			t.Errorf("%s: seen %t, want %t", name, got, c.seen)
		}
	}
}
