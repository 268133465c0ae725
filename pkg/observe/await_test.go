// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// awaiting runs Await in the background and returns where its end is told.
func awaiting(t *testing.T, c *Cluster, since cluster.Revision) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Await(t.Context(), since) }()
	return done
}

func wakes(t *testing.T, done <-chan error, what string) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("%s did not wake", what)
	}
}

func sleeps(t *testing.T, done <-chan error, what string) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("%s woke (error %v)", what, err)
	case <-time.After(400 * time.Millisecond):
	}
}

const (
	nodesPath = "/api/v1/nodes"
	boxesPath = "/apis/box.example/v1/boxes"
)

func TestAwait_AChangedFactWakesAndCachedShowsItWithoutAskingAgain(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeObject("n", "True", ""))
	a.put(boxesPath, boxObject("b", 2))
	c := observed(t, a)
	s := look(t, c)
	done := awaiting(t, c, s.Revision)
	a.send(nodesPath, "MODIFIED", nodeObject("n", "False", ""))
	wakes(t, done, "a node that is no longer ready")
	lists := a.count("limit=2")
	s2, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil {
		t.Fatal(err)
	}
	if s2.Nodes[0].Ready != cluster.No || s2.Revision <= s.Revision || s2.Look.Fresh {
		t.Errorf("cached %+v of revision %d, fresh %t; want a node that is not ready, later, not fresh", s2.Nodes, s2.Revision, s2.Look.Fresh)
	}
	if s.Nodes[0].Ready != cluster.Yes {
		t.Error("the event changed a snapshot that was handed out")
	}
	done = awaiting(t, c, s2.Revision)
	a.send(boxesPath, "DELETED", boxObject("b", 2))
	wakes(t, done, "a volume that was deleted")
	s3, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil {
		t.Fatal(err)
	}
	if len(s3.Storages[0].Volumes) != 0 {
		t.Errorf("volumes %+v, want none", s3.Storages[0].Volumes)
	}
	if n := a.count("limit=2"); n != lists {
		t.Errorf("%d lists were read again, want none", n-lists)
	}
}

// What a whole reading takes to join says nothing of the event that comes next: it would
// be held back for long, once after each reading.
func TestAwait_TheFirstEventAfterAReadingIsNotHeldBack(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeObject("n", "True", ""))
	c := observed(t, a)
	look(t, c)
	if c.joined != 0 || c.settle() != settle {
		t.Errorf("after a reading it gathers for %s, by a joining of %s", c.settle(), c.joined)
	}
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeObject("n", "False", ""))
	wakes(t, done, "a node that is no longer ready")
	if _, err := c.Observe(t.Context(), cluster.Cached); err != nil {
		t.Fatal(err)
	}
	if c.joined == 0 {
		t.Error("how long joining an event took is not known: a stream of them is not held back")
	}
}

func TestAwait_AHeartbeatWakesNobody(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeObject("n", "True", "2026-01-01T00:00:00Z"))
	a.put(boxesPath, boxObject("b", 2))
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeObject("n", "True", "2026-01-01T00:00:10Z"))
	a.send(boxesPath, "MODIFIED", boxObject("b", 2))
	a.send(boxesPath, "BOOKMARK", `{"metadata":{"resourceVersion":"99"}}`)
	sleeps(t, done, "a heartbeat")
	a.send(boxesPath, "MODIFIED", boxAt(100, "b", 3))
	wakes(t, done, "a change after heartbeats")
	if c.watches.lost() {
		t.Error("the watches are lost")
	}
}

func TestAwait_ReturnsAtOnceForARevisionThatIsNotTheLast(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	s := look(t, c)
	look(t, c)
	wakes(t, awaiting(t, c, s.Revision), "an old revision")
}

func TestAwait_EndsWithItsContext(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	s := look(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Await(ctx, s.Revision); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestAwait_TheSafetyRelistWakesAndIsRead(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a, func(c *Config) { c.Relist = 200 * time.Millisecond })
	s := look(t, c)
	wakes(t, awaiting(t, c, s.Revision), "the relist")
	a.put(nodesPath, nodeObject("n", "True", "")) // an event that never came
	s, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Nodes) != 1 {
		t.Errorf("%d nodes, want the one that no event told of", len(s.Nodes))
	}
}

func TestAwait_AWatchThatExpiredWakesAndEverythingIsReadAnew(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "ERROR", `{"kind":"Status","code":410,"message":"too old resource version"}`)
	wakes(t, done, "a watch that expired")
	a.put(nodesPath, nodeObject("n", "True", ""))
	s, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Nodes) != 1 {
		t.Errorf("%d nodes, want the one that the watch missed", len(s.Nodes))
	}
}

func TestAwait_AnEventThatCannotBeDecodedIsNotPassedOver(t *testing.T) {
	a := newAPI(t)
	a.put(boxesPath, boxObject("b", 2))
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(boxesPath, "MODIFIED", `{"metadata":{"name":"b","uid":"u-b","resourceVersion":"12"},"copies":"many"}`)
	wakes(t, done, "an event that cannot be decoded")
}

func TestAwait_AWatchGoesOnWhereTheServerEndedIt(t *testing.T) {
	a := newAPI(t)
	a.put(boxesPath, boxObject("b", 2))
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(boxesPath, "BOOKMARK", `{"metadata":{"resourceVersion":"77"}}`)
	a.end(boxesPath)
	a.send(boxesPath, "MODIFIED", boxAt(78, "b", 3))
	wakes(t, done, "a change after the watch was begun anew")
	if c.watches.lost() {
		t.Error("the watches are lost")
	}
	if a.count(boxesPath, "watch=true", "resourceVersion=77") != 1 {
		t.Error("the watch did not go on from the last bookmark")
	}
}

func TestAwait_WhereWatchingIsForbiddenItDoesNotAskAllTheTime(t *testing.T) {
	a := newAPI(t)
	a.hook(nodesPath, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			refuse(w, 403, "no watching")
			return
		}
		a.list(w, r, nil)
	})
	c := observed(t, a)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for ctx.Err() == nil {
		s, err := c.Observe(ctx, cluster.Cached)
		if err != nil {
			break
		}
		if c.Await(ctx, s.Revision) != nil {
			break
		}
	}
	if n := a.count(nodesPath, "limit="); n > 2 {
		t.Errorf("the nodes were listed %d times within a second", n)
	}
}

func TestAwait_AServerThatIsGoneIsNotAskedAllTheTime(t *testing.T) {
	a := newAPI(t)
	for _, p := range paths() {
		a.hook(p, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "Unauthorized") })
	}
	c := observed(t, a, func(c *Config) { c.Pause = 300 * time.Millisecond })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := c.Observe(ctx, cluster.Cached); err == nil {
			t.Fatal("a snapshot without credentials")
		}
		_ = c.Await(ctx, 0)
	}
	if n := a.count(nodesPath); n > 5 {
		t.Errorf("the nodes were asked for %d times within a second, want at most one each 300 ms", n)
	}
}

func TestObserve_CachedReadsOldLeasesAgainAndNothingElse(t *testing.T) {
	a := newAPI(t)
	leases := "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
	a.put(nodesPath, nodeObject("n", "True", ""))
	c := observed(t, a)
	s := look(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = c.Await(ctx, s.Revision) // begins the watches
	before := a.count("limit=")
	a.put(leases, `{"metadata":{"name":"n","namespace":"kube-node-lease","uid":"l"},"spec":{"renewTime":"2026-01-01T00:00:00.000000Z","leaseDurationSeconds":40}}`)
	c.mu.Lock()
	c.state.leasesAt = time.Now().Add(-time.Minute)
	c.mu.Unlock()
	s, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil {
		t.Fatal(err)
	}
	if s.Nodes[0].LeaseRenewed.IsZero() || s.Nodes[0].LeaseDuration != 40*time.Second {
		t.Errorf("node %+v, want the lease that was renewed", s.Nodes[0])
	}
	if n := a.count("limit=") - before; n != 1 {
		t.Errorf("%d lists were read, want the leases'", n)
	}
}

func TestClose_LeavesNoGoroutineAndEndsObserving(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := newAPI(t)
	c := observed(t, a)
	s := look(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = c.Await(ctx, s.Revision)
	c.Close()
	c.Close()
	if _, err := c.Observe(t.Context(), cluster.Cached); err == nil {
		t.Error("a closed Cluster observes")
	}
	if err := c.Await(t.Context(), s.Revision); err == nil {
		t.Error("a closed Cluster waits")
	}
	a.CloseClientConnections()
	a.Close()
}

func TestSameStorage_IgnoresOnlyWhatChangesAllTheTime(t *testing.T) {
	storage := func() *cluster.Storage {
		return &cluster.Storage{
			Nodes:   []cluster.StorageNode{{Name: "n", Disks: []cluster.Disk{{Name: "d", Available: 1}}}},
			Volumes: []cluster.Volume{{Name: "v", Used: 1, Replicas: []cluster.Replica{{Name: "r"}}}},
		}
	}
	for name, c := range map[string]struct {
		change func(*cluster.Storage)
		same   bool
	}{
		"nothing":           {func(*cluster.Storage) {}, true},
		"a report":          {func(s *cluster.Storage) { s.Reported, s.Nodes[0].Reported = time.Now(), time.Now() }, true},
		"free space":        {func(s *cluster.Storage) { s.Nodes[0].Disks[0].Available = 2 }, true},
		"data":              {func(s *cluster.Storage) { s.Volumes[0].Used = 2 }, true},
		"a claim":           {func(s *cluster.Storage) { s.Volumes[0].Replicas[0].Claim = cluster.Failed }, false},
		"progress":          {func(s *cluster.Storage) { s.Volumes[0].Replicas[0].Progress = 7 }, false},
		"a disk":            {func(s *cluster.Storage) { s.Nodes[0].Disks[0].UUID = "x" }, false},
		"a node":            {func(s *cluster.Storage) { s.Nodes = nil }, false},
		"a volume more":     {func(s *cluster.Storage) { s.Volumes = append(s.Volumes, cluster.Volume{}) }, false},
		"a setting":         {func(s *cluster.Storage) { s.Settings = []cluster.Fact{{Name: "a"}} }, false},
		"what is scheduled": {func(s *cluster.Storage) { s.Nodes[0].Disks[0].Scheduled = 2 }, false},
	} {
		s := storage()
		c.change(s)
		if got := sameStorage(storage(), s); got != c.same {
			t.Errorf("%s: same %t, want %t", name, got, c.same)
		}
	}
}
