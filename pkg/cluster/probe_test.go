// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func sightings() map[cluster.UID]cluster.Sighting {
	return map[cluster.UID]cluster.Sighting{"r": {
		Of: cluster.Replica{UID: "r", Claim: cluster.Idle, Node: "n", Directory: "d"}, Probe: cluster.Probe{Seen: cluster.SeenData},
	}}
}

// sees reports whether the replica, as it is now, is one that was looked at.
func sees(seen map[cluster.UID]cluster.Sighting, now cluster.Replica) bool {
	storage := cluster.Storage{Volumes: []cluster.Volume{{Replicas: []cluster.Replica{now}}}}
	storage.See(seen)
	return storage.Volumes[0].Replicas[0].Probe != nil
}

func TestSee_AReplicaThatHasChangedSinceWasNotSeen(t *testing.T) {
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
		if got := sees(sightings(), c.now); got != c.seen {
			t.Errorf("%s: seen %t, want %t", name, got, c.seen)
		}
	}
}

// A volume that was opened and closed since may have been written to meanwhile.
func TestSee_AReplicaThatIsAgainAsItWasWasNotSeen(t *testing.T) {
	seen := sightings()
	now := seen["r"].Of
	if !sees(seen, now) {
		t.Fatal("a replica that has not changed was not seen")
	}
	now.Claim = cluster.Serving
	if sees(seen, now) {
		t.Fatal("a replica that serves was seen")
	}
	now.Claim = cluster.Idle
	if sees(seen, now) {
		t.Error("the look from before it served is believed again")
	}
}
