// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestPower_TheToolNeverSaysMoreThanTheDisks breaks machines, disks and
// processes on one cluster in which all volumes sleep, and then those of one that
// is in use. At no look may verify count a copy that is not on a disk; it must see
// that something is wrong; and what does not mend itself is mended by a roll.
func TestPower_TheToolNeverSaysMoreThanTheDisks(t *testing.T) {
	long(t)
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 4, Users: 6, Replicas: 2}
	s := &shared{World: w, t: t, e: worldtest.Build(t, w, i)}
	s.must(w.Stop(t.Context(), "prometheus"))
	s.seen(true)
	s.part(t, "a machine loses power and comes back with its disk", func(s *shared) {
		s.must(s.PowerOff(s.t.Context(), "worker-1"))
		s.seen(false)
		s.must(s.PowerOn(s.t.Context(), "worker-1"))
		s.seen(true)
	})
	s.part(t, "the manager of a node is down", func(s *shared) {
		s.must(s.StopManager(s.t.Context(), "worker-2"))
		s.seen(false)
		s.must(s.StartManager(s.t.Context(), "worker-2"))
		s.seen(true)
	})
	s.part(t, "two machines get each other's disk", swapped)
	s.part(t, "a directory is gone, and a disk has the identity of another", cloned)
	s.part(t, "a disk is replaced by an empty one", func(s *shared) {
		node := s.home("user-02")[0] // a node that was rolled has none
		s.must(s.ReplaceDisk(s.t.Context(), node))
		s.seen(false)
		s.replacedByHand(node, node+"-b")
	})
	worldtest.Kubectl(t, w, 0, "scale", "statefulset/user-01", "--replicas=1")
	worldtest.Kubectl(t, w, 0, "wait", "--for=condition=Ready", "pod/user-01-0", "--timeout=3m")
	s.must(w.AttachedHealthy(t.Context()))
	faults(t, s)
}

// swapped: neither disk is where its objects say, and nothing is lost; put back,
// all is as it was.
func swapped(s *shared) {
	s.must(s.SwapDisks(s.t.Context(), "worker-1", "worker-4"))
	s.seen(false)
	s.must(s.SwapDisks(s.t.Context(), "worker-1", "worker-4"))
	s.seen(true)
}

// cloned removes a directory of one volume, which only a look inside can tell,
// and clones a disk over one that holds no copy of that volume.
func cloned(s *shared) {
	const victim = "user-01"
	at := homes(worldtest.Truth(s.t, s.World), s.e, victim)
	if len(at) != 2 {
		s.t.Fatalf("%s lies on %v", victim, at)
	}
	sick := ""
	for volume := range s.e {
		for _, n := range homes(worldtest.Truth(s.t, s.World), s.e, volume) {
			if !slices.Contains(at, n) {
				sick = n
			}
		}
	}
	s.must(s.RemoveData(s.t.Context(), at[0], victim))
	for _, v := range s.seen(false, "--probe").Volumes {
		if v.Good < 2 != (v.Name == victim) {
			s.t.Errorf("%s has %d good copies: %+v", v.Name, v.Good, v.Replicas)
		}
	}
	s.must(s.CloneDisk(s.t.Context(), at[1], sick))
	s.seen(false, "--probe")
	s.replacedByHand(sick, sick)
}

// replacedByHand: a machine whose disk is another one is not rolled, for its own
// may come back. Somebody has to say that it will not, by replacing the machine;
// then a roll that looks inside mends what is left of it, and of anything else.
func (s *shared) replacedByHand(node, as string) {
	s.t.Helper()
	var there []string
	for _, v := range s.verify("--probe").Volumes {
		for _, r := range v.Replicas {
			if r.Node == node && s.e[v.Name] != "" {
				there = append(there, v.Name)
			}
		}
	}
	if len(there) == 0 {
		s.t.Fatalf("no replica is said to be on %s", node)
	}
	s.refused(there, "run", node, "--yes", "--probe", "--replace-command=machine replace")
	s.must(s.Recreate(s.t.Context(), node, as))
	s.seen(false, "--probe")
	roll(s.t, s.World, []string{as}, "--probe", "--replace-command=machine replace")
	if short := worldtest.Truth(s.t, s.World).Short(s.e, 2); len(short) > 0 {
		s.t.Errorf("fewer than two copies on live nodes: %v", short)
	}
	s.seen(true, "--probe")
}

// faults breaks processes of a volume in use. What is written meanwhile is in one
// copy only, until Longhorn has rebuilt the other.
func faults(t *testing.T, s *shared) {
	t.Helper()
	const volume = "user-01"
	plane := s.Lab.Plane
	fails := func(node string) error { return plane.FailReplica(volume, node) }
	for _, f := range []struct {
		name   string
		breaks func(node string) error
		while  func(*shared)
	}{
		{"a replica fails", fails, func(*shared) {}},
		{"a replica's process dies", func(node string) error { return plane.KillReplica(volume, node) }, func(*shared) {}},
		{"a rebuild fails", func(node string) error {
			plane.FailRebuilds(volume, "no space left on device")
			return fails(node)
		}, func(s *shared) {
			for began := time.Now(); plane.FailedRebuilds(volume) == 0; time.Sleep(time.Second) {
				if time.Since(began) > 3*time.Minute {
					s.t.Fatal("no rebuild was tried")
				}
			}
			s.seen(false)
			plane.FailRebuilds(volume, "")
		}},
	} {
		s.part(t, f.name, func(s *shared) {
			at := homes(worldtest.Truth(s.t, s.World), s.e, volume)
			s.must(f.breaks(at[0]))
			data := []byte("written while " + f.name + "\n")
			s.must(s.Write(s.t.Context(), volume, data))
			s.e[volume] = scenario.Sum(data)
			if n := s.copies()[volume]; n != 1 {
				s.t.Fatalf("%d copies hold what was written: nothing is broken", n)
			}
			s.noticed()
			f.while(s)
			s.seen(true)
			if n := s.copies()[volume]; n != 2 {
				s.t.Errorf("the verdict is Safe, and %d copies hold what was written", n)
			}
		})
	}
}
