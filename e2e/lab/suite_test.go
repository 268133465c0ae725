// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	pair  = "pair"        // two replicas, asleep
	awake = "three-awake" // three replicas, in use
)

// TestSuite_WhatLonghornAsksOfDrains plays scenarios of Longhorn's own tests
// about nodes that are drained, lost or emptied, by the number that docs/lab.md
// gives them. Each checks what Longhorn does by the disks, and what safe-roll says
// of it.
func TestSuite_WhatLonghornAsksOfDrains(t *testing.T) {
	long(t)
	t.Parallel()
	w := start(t, mendSoon())
	s := &shared{World: w, t: t, e: scenario.Expected{}}
	s.must(scenario.Incident{Workers: 3}.Machines(t.Context(), w))
	for _, p := range []struct {
		name string
		do   func(*shared)
	}{
		{"T5 nobody misses a volume that was never used", neverUsed},
		{"T1 a stopped replica on a dead node protects nothing", deadNode},
		{"T10 a detached volume is rebuilt as it is", rebuiltAsleep},
		{"T9 a machine registers again with its disk", registersAgain},
		{"T21 an eviction to nowhere moves nothing", evictedToNowhere},
		{"T40 the third drain in a row", thirdInARow},
		{"T8 a drain after a node was deleted", drainAfterDeletion},
	} {
		s.part(t, p.name, p.do)
	}
}

// neverUsed: every drain completes.
func neverUsed(s *shared) {
	s.must(s.CreateVolume(s.t.Context(), scenario.Volume{Name: "never", Replicas: 2, Bytes: 1 << 30}))
	for _, v := range s.seen(true).Volumes {
		if v.Name == "never" && v.Condition != "Unused" {
			s.t.Errorf("the volume that was never used is %s", v.Condition)
		}
	}
	for _, n := range nodes() {
		if !drains(s.t, s.World, n) {
			s.t.Errorf("the drain of %s does not end", n)
		}
		worldtest.Kubectl(s.t, s.World, 0, "uncordon", n)
	}
}

// deadNode: the other replica's node has no power, and Longhorn holds the drain;
// so does safe-roll, with a reason.
func deadNode(s *shared) {
	s.must(
		s.CreateVolume(s.t.Context(), scenario.Volume{Name: pair, Replicas: 2, Bytes: 1 << 30}),
		s.Run(s.t.Context(), scenario.Workload{Name: pair, Volume: pair, Replicas: 1}),
		s.Write(s.t.Context(), pair, bytesOf(pair)),
		s.Stop(s.t.Context(), pair),
	)
	s.e[pair] = scenario.Sum(bytesOf(pair))
	at := homes(worldtest.Truth(s.t, s.World), s.e, pair)
	s.must(s.PowerOff(s.t.Context(), at[0]))
	worldtest.Kubectl(s.t, s.World, 0, "wait", "instancemanagers.longhorn.io", "-n", "longhorn-system", "-l", "longhorn.io/node="+at[0],
		"--for=jsonpath={.status.currentState}=unknown", "--timeout=3m")
	if drains(s.t, s.World, at[1], "--force") {
		s.t.Error("the node of the last copy was drained")
	}
	worldtest.Kubectl(s.t, s.World, 0, "uncordon", at[1])
	s.refused([]string{pair}, "drain", at[1])
	s.must(s.PowerOn(s.t.Context(), at[0]))
	s.seen(true)
}

// rebuiltAsleep: with a word at the volume, and then with one for all, Longhorn
// opens a volume that sleeps, makes what it lacks, and lets it sleep again.
func rebuiltAsleep(s *shared) {
	const name = "offline"
	knows, err := s.Kubectl(s.t.Context(), "explain", "volumes.longhorn.io.spec.offlineRebuilding")
	s.must(err)
	if knows.Exit != 0 {
		s.t.Skipf("Longhorn %s has no such thing", longhorn.Version())
	}
	s.made(scenario.Volume{Name: name, Replicas: 3})
	s.must(s.Stop(s.t.Context(), name))
	word := func(kind, name, patch string) {
		worldtest.Kubectl(s.t, s.World, 0, "patch", kind, name, "-n", "longhorn-system", "--type=merge", "-p", patch)
	}
	for _, w := range []struct{ kind, name, yes, no string }{
		{"volumes.longhorn.io", name, `{"spec":{"offlineRebuilding":"enabled"}}`, `{"spec":{"offlineRebuilding":"ignored"}}`},
		{"settings.longhorn.io", "offline-replica-rebuilding", `{"value":"true"}`, `{"value":"false"}`},
	} {
		s.seen(true)
		replica := s.replicas(name)[0]
		worldtest.Kubectl(s.t, s.World, 0, "delete", "replicas.longhorn.io", replica, "-n", "longhorn-system", "--timeout=1m")
		worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "verify"), []string{name})
		word(w.kind, w.name, w.yes)
		s.seen(true)
		worldtest.Kubectl(s.t, s.World, 0, "wait", "volumes.longhorn.io/"+name, "-n", "longhorn-system", "--for=jsonpath={.status.state}=detached", "--timeout=3m")
		if at := s.home(name); len(at) != 3 {
			s.t.Errorf("it has copies on %v alone", at)
		}
		word(w.kind, w.name, w.no)
	}
	worldtest.Kubectl(s.t, s.World, 0, "delete", "volumes.longhorn.io", name, "-n", "longhorn-system", "--timeout=5m")
	delete(s.e, name)
}

// registersAgain: the replicas are the same, by name, and whether they are real is
// known once somebody has looked.
func registersAgain(s *shared) {
	at := homes(worldtest.Truth(s.t, s.World), s.e, pair)[0]
	before := s.replicas(pair)
	time.Sleep(11 * time.Second) // the margin of the clocks: the node is younger than its replicas for certain
	s.must(s.PowerOff(s.t.Context(), at))
	worldtest.Kubectl(s.t, s.World, 0, "delete", "node", at)
	worldtest.Kubectl(s.t, s.World, 0, "wait", "nodes.longhorn.io/"+at, "-n", "longhorn-system", "--for=delete", "--timeout=3m")
	s.must(s.PowerOn(s.t.Context(), at))
	s.seen(true, "--probe")
	if v := s.verify(); v.Verdict == "Safe" {
		s.t.Error("without a look the replicas of a node that registered again count")
	}
	if now := s.replicas(pair); !slices.Equal(now, before) {
		s.t.Errorf("the replicas were %v and are %v", before, now)
	}
}

// replicas are the names of a volume's replicas, sorted.
func (s *shared) replicas(volume string) []string {
	s.t.Helper()
	var out []string
	for _, v := range s.verify().Volumes {
		for _, r := range v.Replicas {
			if v.Name == volume {
				out = append(out, r.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// user is the node of the pod that uses the volume.
func (s *shared) user(volume string) string {
	s.t.Helper()
	return worldtest.Kubectl(s.t, s.World, 0, "get", "pod", volume+"-0", "-o", "jsonpath={.spec.nodeName}").Out
}

// evictedToNowhere: with three replicas on three nodes nothing can be moved.
// Longhorn says so nowhere for a volume that sleeps; safe-roll counts what is to
// leave no more. Taken back, everything is in its place.
func evictedToNowhere(s *shared) {
	s.must(threes(s.t.Context(), s.World))
	for _, v := range []string{awake, "three-asleep"} {
		s.e[v] = scenario.Sum(bytesOf(v))
	}
	out := nodes()[2]
	if at := homes(worldtest.Truth(s.t, s.World), s.e, pair); slices.Contains(at, out) {
		out = slices.DeleteFunc(nodes(), func(n string) bool { return slices.Contains(at, n) })[0]
	}
	other := slices.DeleteFunc(nodes(), func(n string) bool { return n == out })[0]
	s.seen(true, "--probe")
	node := func(spec string) {
		worldtest.Kubectl(s.t, s.World, 0, "patch", "nodes.longhorn.io", out, "-n", "longhorn-system", "--type=merge", "-p", `{"spec":{`+spec+`}}`)
	}
	before := worldtest.Truth(s.t, s.World)
	// told waits until the replicas of both volumes there know whether they shall
	// leave: Longhorn takes up to half a minute.
	told := func(leave string) {
		for _, v := range []string{awake, "three-asleep"} {
			worldtest.Kubectl(s.t, s.World, 0, "wait", "replicas.longhorn.io", "-n", "longhorn-system", "-l", "longhornnode="+out+",longhornvolume="+v,
				"--for=jsonpath={.spec.evictionRequested}="+leave, "--timeout=3m")
		}
	}
	node(`"allowScheduling":false,"evictionRequested":true`)
	told("true")
	for range 10 {
		time.Sleep(2 * time.Second)
		s.verify("--probe")
	}
	worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "verify", other, "--probe"), []string{awake, "three-asleep"})
	// One after the other: a node that takes replicas again before those on it are
	// told that they may stay is given a second one of the same volume.
	node(`"evictionRequested":false`)
	told("false")
	node(`"allowScheduling":true`)
	s.seen(true, "--probe")
	for v := range s.e {
		if was, now := before[v], worldtest.Truth(s.t, s.World)[v]; !slices.Equal(was, now) {
			s.t.Errorf("%s was in %+v and is in %+v", v, was, now)
		}
	}
}

// thirdInARow drains without waiting for any rebuild, the node of the pod last: a
// volume that moves with its pod starts anew, with all its replicas. Longhorn lets
// two go and holds the third; safe-roll would have held the second.
func thirdInARow(s *shared) {
	s.Lab.Plane.FailRebuilds(awake, "not yet")
	busy := s.user(awake)
	order := append(slices.DeleteFunc(nodes(), func(n string) bool { return n == busy }), busy)
	for n, node := range order {
		if n > 0 {
			worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "verify", node, "--probe"), []string{awake})
		}
		if ends := drains(s.t, s.World, node); ends != (n < 2) {
			s.t.Fatalf("the drain of %s, number %d, ends: %v", node, n+1, ends)
		}
		if n < 2 {
			s.fallsBehind(awake, node)
		}
		worldtest.Kubectl(s.t, s.World, 0, "uncordon", node)
	}
	s.Lab.Plane.FailRebuilds(awake, "")
	s.must(s.AttachedHealthy(s.t.Context()))
	if !drains(s.t, s.World, order[2]) {
		s.t.Errorf("rebuilt, the drain of %s does not end", order[2])
	}
	worldtest.Kubectl(s.t, s.World, 0, "uncordon", order[2])
	s.seen(true, "--probe")
}

// fallsBehind waits until Longhorn knows that the volume's copy on the node is out
// of date.
func (s *shared) fallsBehind(volume, node string) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Second) {
		at := worldtest.Kubectl(s.t, s.World, 0, "get", "replicas.longhorn.io", "-n", "longhorn-system", "-l", "longhornnode="+node+",longhornvolume="+volume,
			"-o", "jsonpath={.items[*].spec.failedAt}").Out
		if at != "" {
			return
		}
		if time.Since(began) > time.Minute {
			s.t.Fatalf("the copy of %s on %s has not failed", volume, node)
		}
	}
}

// drainAfterDeletion: a node is gone, with what was on it, and nothing takes its
// place. Longhorn blocks every further drain (longhorn/longhorn#10833); a roll
// rebuilds first, and drains.
func drainAfterDeletion(s *shared) {
	s.must(s.AddNode(s.t.Context(), scenario.Node{Name: "worker-4", Role: "worker"}))
	worldtest.Kubectl(s.t, s.World, 0, "patch", "settings.longhorn.io", "node-drain-policy", "-n", "longhorn-system", "--type=merge", "-p",
		`{"value":"block-for-eviction-if-contains-last-replica"}`)
	busy := s.user(awake)
	free := slices.DeleteFunc(nodes(), func(n string) bool { return n == busy })
	s.must(s.Fleet.DeleteNode(s.t.Context(), free[0], hollow.DestroyDisk))
	s.must(s.AttachedHealthy(s.t.Context()))
	if drains(s.t, s.World, free[1], "--force") {
		s.t.Error("a phantom does not block a drain: there is nothing to heal")
	}
	worldtest.Kubectl(s.t, s.World, 0, "uncordon", free[1])
	// Three replicas on the three nodes that are left can only be refilled, and then
	// the pair's, too, are one meanwhile: the refusal says how that is accepted.
	roll(s.t, s.World, free[1:2], "--probe", "--accept-risk=volume/one-copy-left:"+pair, "--retire-command=machine retire", "--create-command=machine create")
	tr := worldtest.Truth(s.t, s.World)
	for v := range s.e {
		want := 3
		if v == pair {
			want = 2
		}
		if at := homes(tr, s.e, v); len(at) < want {
			s.t.Errorf("%s has copies on %v alone", v, at)
		}
	}
}
