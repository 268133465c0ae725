// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// image is a backing image that can never be fetched: nothing in the lab fetches.
const image = `apiVersion: longhorn.io/v1beta2
kind: BackingImage
metadata: {name: golden, namespace: longhorn-system}
spec: {sourceType: download, sourceParameters: {url: "http://nowhere.invalid/golden.img"}}
`

// TestSpecial_EachKindOfVolumeIsJudgedForWhatItIs keeps a volume of each kind that
// the lab can hold on four workers, and asks of each what verify, plan and run say
// of it, against the disks.
func TestSpecial_EachKindOfVolumeIsJudgedForWhatItIs(t *testing.T) {
	long(t)
	t.Parallel()
	w := start(t, mendSoon())
	s := &shared{World: w, t: t, e: scenario.Expected{}}
	s.must(scenario.Incident{Workers: 4}.Machines(t.Context(), w))
	s.part(t, "a single replica is moved off its node before the drain", singleReplica)
	s.part(t, "a shared volume that sleeps is rolled like any other", sharedVolume)
	s.part(t, "a strict-local replica cannot be moved, and its node is refused", strictLocal)
	s.part(t, "a volume that follows a backup is judged and never woken", standby)
	s.part(t, "a volume whose backing image is nowhere is not moved", baseless)
}

// made creates a volume, has it written once, and puts it to sleep.
func (s *shared) made(v scenario.Volume) {
	s.t.Helper()
	v.Bytes = 1 << 30
	s.must(
		s.CreateVolume(s.t.Context(), v),
		s.Run(s.t.Context(), scenario.Workload{Name: v.Name, Volume: v.Name, Replicas: 1}),
		s.Write(s.t.Context(), v.Name, bytesOf(v.Name)),
	)
	s.e[v.Name] = scenario.Sum(bytesOf(v.Name))
}

func (s *shared) home(volume string) []string {
	s.t.Helper()
	return homes(worldtest.Truth(s.t, s.World), s.e, volume)
}

func singleReplica(s *shared) {
	s.made(scenario.Volume{Name: "single", Replicas: 1})
	s.must(s.Stop(s.t.Context(), "single"))
	s.seen(true)
	at := s.home("single")
	// Longhorn would hold this drain; whoever forces it loses the volume.
	worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "verify", at[0]), []string{"single"})
	roll(s.t, s.World, at, "--replace-command=machine replace")
	if now := s.home("single"); len(now) != 1 || now[0] == at[0] {
		s.t.Errorf("it was on %v and is on %v", at, now)
	}
	s.seen(true)
}

// sharedVolume has no share manager, which the lab does not run: it is written
// over a ticket, as if by one.
func sharedVolume(s *shared) {
	const name, node = "shared", "worker-1"
	s.must(s.CreateVolume(s.t.Context(), scenario.Volume{Name: name, Replicas: 2, Bytes: 1 << 30, Shared: true}))
	ticket := func(value string) {
		worldtest.Kubectl(s.t, s.World, 0, "patch", "volumeattachments.longhorn.io", name, "-n", "longhorn-system", "--type=merge",
			"-p", `{"spec":{"attachmentTickets":{"test":`+value+`}}}`)
	}
	worldtest.Kubectl(s.t, s.World, 0, "wait", "volumeattachments.longhorn.io/"+name, "-n", "longhorn-system", "--for=create", "--timeout=1m")
	ticket(`{"id":"test","type":"longhorn-api","nodeID":"` + node + `","parameters":{"disableFrontend":"false"}}`)
	worldtest.Kubectl(s.t, s.World, 0, "wait", "volumes.longhorn.io/"+name, "-n", "longhorn-system", "--for=jsonpath={.status.robustness}=healthy", "--timeout=5m")
	m := hollow.Mount{Node: node, Volume: name, Handle: name, Pod: "test", PodName: "test"}
	s.must(s.Lab.Mount(s.t.Context(), m), s.Write(s.t.Context(), name, bytesOf(name)), s.Lab.Unmount(s.t.Context(), m))
	s.e[name] = scenario.Sum(bytesOf(name))
	ticket("null")
	worldtest.Kubectl(s.t, s.World, 0, "wait", "volumes.longhorn.io/"+name, "-n", "longhorn-system", "--for=jsonpath={.status.state}=detached", "--timeout=5m")
	s.seen(true)
	at := s.home(name)
	if len(at) != 2 {
		s.t.Fatalf("it is on %v", at)
	}
	roll(s.t, s.World, at[:1], "--replace-command=machine replace")
	if now := s.home(name); len(now) != 2 {
		s.t.Errorf("it was on %v and is on %v", at, now)
	}
}

func strictLocal(s *shared) {
	s.made(scenario.Volume{Name: "local", Replicas: 1, Local: true})
	at := s.home("local")
	s.seen(true)
	said := worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "run", at[0], "--yes", "--replace-command=machine replace")
	worldtest.Named(s.t, said, []string{"local", "strict-local"})
	s.t.Log(said.All())
	if now := s.home("local"); !slices.Equal(now, at) {
		s.t.Errorf("it was on %v and is on %v", at, now)
	}
	worldtest.Kubectl(s.t, s.World, 0, "delete", "statefulset", "local")
	worldtest.Kubectl(s.t, s.World, 0, "delete", "volumes.longhorn.io", "local", "-n", "longhorn-system", "--timeout=5m")
	delete(s.e, "local")
}

// standby: nothing was ever restored here, so what it holds cannot be told; it
// stands against every roll, and is not touched.
func standby(s *shared) {
	const name = "standby"
	s.must(s.CreateVolume(s.t.Context(), scenario.Volume{Name: name, Replicas: 2, Bytes: 1 << 30, Standby: true}))
	v := s.verify()
	if now := condition(v, name); now != "Unknown" || v.Verdict == v1alpha1.VerdictSafe {
		s.t.Errorf("it is %s, and the verdict %s", now, v.Verdict)
	}
	worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 4, "safe-roll", "run", "worker-1", "--yes", "--replace-command=machine replace"), []string{name})
	worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 0, "safe-roll", "explain", name), []string{"longhorn/standby"})
	tickets := worldtest.Kubectl(s.t, s.World, 0, "get", "volumeattachments.longhorn.io", name, "-n", "longhorn-system", "-o", "jsonpath={.spec.attachmentTickets}")
	if strings.Contains(tickets.Out, "safe-roll-") {
		s.t.Errorf("it is held by us: %s", tickets.Out)
	}
	worldtest.Kubectl(s.t, s.World, 0, "delete", "volumes.longhorn.io", name, "-n", "longhorn-system", "--timeout=5m")
}

// baseless: no replica can be made without a ready copy of its image, so none that
// is there may be lost.
func baseless(s *shared) {
	file := filepath.Join(s.t.TempDir(), "image.yaml")
	s.must(os.WriteFile(file, []byte(image), 0o600))
	worldtest.Kubectl(s.t, s.World, 0, "create", "-f", file)
	s.must(s.CreateVolume(s.t.Context(), scenario.Volume{Name: "based", Replicas: 2, Bytes: 1 << 30, Image: "golden"}))
	if now := condition(s.verify(), "based"); now != "Unused" {
		s.t.Errorf("it is %s", now)
	}
	var at string
	for _, v := range s.verify().Volumes {
		if v.Name == "based" && len(v.Replicas) > 0 {
			at = v.Replicas[0].Node
		}
	}
	worldtest.Named(s.t, worldtest.Kubectl(s.t, s.World, 3, "safe-roll", "plan", at), []string{"based", "no ready copy of its backing image golden"})
}

// condition is what was concluded of a volume.
func condition(v v1alpha1.Verification, volume string) string {
	for _, x := range v.Volumes {
		if x.Name == volume {
			return x.Condition
		}
	}
	return "not listed"
}
