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

// Somebody opens a volume whose replica's directory is gone: the storage makes it
// anew, blank, serves it, and nothing of that shows in the replica.
func TestSee_AMissingDirectoryIsMadeAnewOnceOpened(t *testing.T) {
	missing := func() (cluster.Replica, map[cluster.UID]cluster.Sighting) {
		r := sightings()["r"].Of
		return r, map[cluster.UID]cluster.Sighting{"r": {Of: r, Probe: cluster.Probe{Seen: cluster.SeenNothing}}}
	}
	now, seen := missing()
	for i, claim := range []cluster.Claim{cluster.Idle, cluster.ClaimUnknown, cluster.Serving, cluster.Serving, cluster.Idle, cluster.Serving} {
		now.Claim = claim
		want := cluster.SeenRemade
		if i == 0 {
			want = cluster.SeenNothing
		}
		if !sees(seen, now) || seen["r"].Probe.Seen != want {
			t.Fatalf("after %d changes of its claim: %q, want %q", i, seen["r"].Probe.Seen, want)
		}
	}
	if now.FailedAt = time.Now(); !sees(seen, now) {
		t.Error("it failed, and may be salvaged: that is no rebuild")
	}
	if now.HealthyAt = time.Now(); sees(seen, now) {
		t.Error("rebuilt since, it is said to be made anew still")
	}
	_, seen = missing()
	if now = (cluster.Replica{UID: "r", Claim: cluster.Serving, Node: "m", Directory: "d"}); sees(seen, now) {
		t.Error("what was seen on another node is remembered")
	}
}

// A consistent look does not look into what is served, may not be answered, and finds
// what was written since.
func TestRemember_WhatWasMissing(t *testing.T) {
	const none = cluster.Seen(99) // nobody was asked
	for name, c := range map[string]struct {
		before, now cluster.Seen
		claim       cluster.Claim
		want        cluster.Seen
	}{
		"served":                       {cluster.SeenNothing, none, cluster.Serving, cluster.SeenRemade},
		"served, after a while":        {cluster.SeenRemade, none, cluster.Serving, cluster.SeenRemade},
		"still missing":                {cluster.SeenNothing, cluster.SeenNothing, cluster.Idle, cluster.SeenNothing},
		"taken away again":             {cluster.SeenRemade, cluster.SeenNothing, cluster.Idle, cluster.SeenNothing},
		"on another disk":              {cluster.SeenNothing, cluster.SeenReplaced, cluster.Idle, cluster.SeenReplaced},
		"nobody answers":               {cluster.SeenNothing, cluster.SeenNoAnswer, cluster.Idle, cluster.SeenRemade},
		"blank":                        {cluster.SeenNothing, cluster.SeenBlank, cluster.Idle, cluster.SeenRemade},
		"written to since":             {cluster.SeenRemade, cluster.SeenData, cluster.Idle, cluster.SeenRemade},
		"data that were never missing": {cluster.SeenData, cluster.SeenData, cluster.Idle, cluster.SeenData},
		"data, and served":             {cluster.SeenData, none, cluster.Serving, none},
	} {
		sighting := func(s cluster.Seen, claim cluster.Claim) map[cluster.UID]cluster.Sighting {
			if s == none {
				return map[cluster.UID]cluster.Sighting{}
			}
			return map[cluster.UID]cluster.Sighting{"r": {Of: cluster.Replica{UID: "r", Claim: claim}, Probe: cluster.Probe{Seen: s}}}
		}
		older, newer := sighting(c.before, cluster.Idle), sighting(c.now, c.claim)
		cluster.Remember(newer, older, map[cluster.UID]cluster.Replica{"r": {UID: "r", Claim: c.claim}})
		got := none
		if x, ok := newer["r"]; ok {
			got = x.Probe.Seen
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	newer := map[cluster.UID]cluster.Sighting{}
	older := map[cluster.UID]cluster.Sighting{"r": {Of: cluster.Replica{UID: "r"}, Probe: cluster.Probe{Seen: cluster.SeenNothing}}}
	cluster.Remember(newer, older, map[cluster.UID]cluster.Replica{"r": {UID: "r", HealthyAt: time.Now()}})
	cluster.Remember(newer, older, nil)
	if len(newer) > 0 {
		t.Errorf("of a replica that was rebuilt, and of one that is gone: %v", newer)
	}
}
