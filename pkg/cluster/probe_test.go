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
	if now.HealthyAt = time.Now(); sees(seen, now) {
		t.Error("rebuilt since, it is said to be made anew still")
	}
	_, seen = missing()
	if now = (cluster.Replica{UID: "r", Claim: cluster.Serving, Node: "m", Directory: "d"}); sees(seen, now) {
		t.Error("what was seen on another node is remembered")
	}
}

// A consistent look does not look into what is served.
func TestRemember_WhatWasMissingAndIsServedSince(t *testing.T) {
	at := func(uid cluster.UID, claim cluster.Claim) cluster.Replica {
		return cluster.Replica{UID: uid, Claim: claim}
	}
	older := map[cluster.UID]cluster.Sighting{}
	for uid, seen := range map[cluster.UID]cluster.Seen{
		"served": cluster.SeenNothing, "remade": cluster.SeenRemade, "whole": cluster.SeenData, "idle": cluster.SeenNothing,
		"gone": cluster.SeenNothing, "again": cluster.SeenNothing,
	} {
		older[uid] = cluster.Sighting{Of: at(uid, cluster.Idle), Probe: cluster.Probe{Seen: seen}}
	}
	newer := map[cluster.UID]cluster.Sighting{"again": {Probe: cluster.Probe{Seen: cluster.SeenData}}}
	cluster.Remember(newer, older, map[cluster.UID]cluster.Replica{
		"served": at("served", cluster.Serving), "remade": at("remade", cluster.Serving), "whole": at("whole", cluster.Serving),
		"idle": at("idle", cluster.Idle), "again": at("again", cluster.Serving),
	})
	if len(newer) != 3 || newer["served"].Probe.Seen != cluster.SeenRemade || newer["remade"].Probe.Seen != cluster.SeenRemade ||
		newer["again"].Probe.Seen != cluster.SeenData {
		t.Errorf("remembered: %v", newer)
	}
}
