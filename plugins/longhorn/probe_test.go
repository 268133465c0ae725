// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

var _ plugin.Prober = Storage{}

// probeWorld is a snapshot of one node with a replica at rest, and the pod that
// can be asked.
func probeWorld(change ...func(*cluster.Snapshot, *cluster.Replica)) (*cluster.Snapshot, []plugin.Probe) {
	at := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	s := &cluster.Snapshot{
		Nodes: []cluster.Node{{Ref: cluster.NodeRef{Name: "w1", UID: "n1"}, Created: at, Ready: yes, BootID: "boot-1"}},
		Pods: []cluster.Pod{{Ref: cluster.PodRef{Namespace: "longhorn-system", Name: "im", UID: "p1"}, Node: "w1", Ready: yes,
			Labels: map[string]string{labelComponent: "instance-manager", labelManager: "aio", labelDataEngine: "v1"}}},
		Storages: []cluster.Storage{{Namespace: "longhorn-system", Volumes: []cluster.Volume{{Name: "vol", Medium: filesystem,
			Replicas: []cluster.Replica{{Name: "vol-r1", UID: "r1", Claim: cluster.Idle, Node: "w1", DiskUUID: "d1",
				DiskPath: "/var/lib/longhorn/", Directory: "vol-1", HealthyAt: at.Add(time.Hour)}}}}}},
	}
	for _, f := range change {
		f(s, &s.Storages[0].Volumes[0].Replicas[0])
	}
	return s, New().Probes(s, &s.Storages[0])
}

func TestProbes_AskTheMachineOfEachReplicaAtRest(t *testing.T) {
	_, ps := probeWorld()
	if len(ps) != 1 || ps[0].Pod.Name != "im" || ps[0].Container != "instance-manager" || ps[0].Lacks != "" || ps[0].Node.UID != "n1" {
		t.Fatalf("probes %+v", ps)
	}
	want := []string{"/proc/sys/kernel/random/boot_id", "/host/var/lib/longhorn", "vol-1"}
	if c := ps[0].Command; c[0] != "/bin/sh" || !slices.Equal(c[4:], want) {
		t.Errorf("arguments %q, want %q", c[4:], want)
	}
	for name, change := range map[string]func(*cluster.Snapshot, *cluster.Replica){
		"one that never held data":   func(_ *cluster.Snapshot, r *cluster.Replica) { r.Claim = cluster.Untouched },
		"a placeholder":              func(_ *cluster.Snapshot, r *cluster.Replica) { r.Claim = cluster.Placeholder },
		"one that is being written":  func(_ *cluster.Snapshot, r *cluster.Replica) { r.Claim = cluster.Rebuilding },
		"one that serves":            func(_ *cluster.Snapshot, r *cluster.Replica) { r.Claim = cluster.Serving },
		"a block disk":               func(s *cluster.Snapshot, _ *cluster.Replica) { s.Storages[0].Volumes[0].Medium = block },
		"a node that is gone":        func(s *cluster.Snapshot, _ *cluster.Replica) { s.Nodes = nil },
		"a node that is not ready":   func(s *cluster.Snapshot, _ *cluster.Replica) { s.Nodes[0].Ready = cluster.Unknown },
		"a node that is deleted":     func(s *cluster.Snapshot, _ *cluster.Replica) { s.Nodes[0].Deleting = true },
		"a directory above":          func(_ *cluster.Snapshot, r *cluster.Replica) { r.Directory = ".." },
		"a directory elsewhere":      func(_ *cluster.Snapshot, r *cluster.Replica) { r.Directory = "a/b" },
		"a name with a line break":   func(_ *cluster.Snapshot, r *cluster.Replica) { r.Directory = "a\nb" },
		"a name that runs a command": func(_ *cluster.Snapshot, r *cluster.Replica) { r.Directory = "$(reboot)" },
		"no directory":               func(_ *cluster.Snapshot, r *cluster.Replica) { r.Directory = "" },
		"a disk without a path":      func(_ *cluster.Snapshot, r *cluster.Replica) { r.DiskPath = "" },
	} {
		if _, ps := probeWorld(change); len(ps) != 0 {
			t.Errorf("%s is looked at: %+v", name, ps)
		}
	}
	younger := func(s *cluster.Snapshot, r *cluster.Replica) {
		r.Claim, s.Nodes[0].Created = cluster.Serving, r.HealthyAt.Add(time.Second)
	}
	if _, ps := probeWorld(younger); len(ps) != 1 {
		t.Error("a replica that serves on a node younger than it is not looked at")
	}
}

func TestProbes_SayWhyNobodyCanBeAsked(t *testing.T) {
	for name, change := range map[string]func(*cluster.Snapshot, *cluster.Replica){
		"no pod":              func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods = nil },
		"not ready":           func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Ready = no },
		"on its way out":      func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Deleting = true },
		"on another node":     func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Node = "w2" },
		"another namespace":   func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Ref.Namespace = "default" },
		"engines alone":       func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Labels[labelManager] = "engine" },
		"some other pod":      func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Labels[labelComponent] = "share-manager" },
		"no boot of the node": func(s *cluster.Snapshot, _ *cluster.Replica) { s.Nodes[0].BootID = "" },
	} {
		_, ps := probeWorld(change)
		if len(ps) != 1 || ps[0].Lacks == "" || ps[0].Pod.Name != "" || len(ps[0].Targets) != 1 {
			t.Errorf("%s: probes %+v", name, ps)
		}
	}
	_, ps := probeWorld(func(s *cluster.Snapshot, _ *cluster.Replica) { s.Pods[0].Labels[labelManager] = "replica" })
	if ps[0].Container != "replica-manager" {
		t.Errorf("up to 1.4 the container is %s", ps[0].Container)
	}
	_, ps = probeWorld(func(s *cluster.Snapshot, _ *cluster.Replica) {
		v2 := s.Pods[0]
		v2.Ref.Name, v2.Labels = "im-a-v2", map[string]string{labelComponent: "instance-manager", labelDataEngine: "v2"}
		s.Pods = []cluster.Pod{v2, s.Pods[0]}
	})
	if ps[0].Pod.Name != "im" {
		t.Errorf("asks %s, want the manager of the v1 engine", ps[0].Pod.Name)
	}
}

func TestProbes_OneCommandLooksAtManyDirectoriesOfOneDisk(t *testing.T) {
	_, ps := probeWorld(func(s *cluster.Snapshot, r *cluster.Replica) {
		v := &s.Storages[0].Volumes[0]
		for i := range 70 {
			more := *r
			more.UID, more.Directory = cluster.UID(fmt.Sprint("x", i)), fmt.Sprint("vol-x", i)
			v.Replicas = append(v.Replicas, more)
		}
		other := *r
		other.UID, other.DiskPath = "y", "/mnt/second"
		v.Replicas = append(v.Replicas, other)
	})
	var sizes []int
	for _, p := range ps {
		sizes = append(sizes, len(p.Targets))
		if n := len(strings.Join(p.Command, "&command=")); n > 6000 {
			t.Errorf("a command of %d bytes", n)
		}
	}
	if !slices.Equal(sizes, []int{1, 50, 21}) {
		t.Errorf("probes of %v directories", sizes)
	}
}

// disk lays out a disk and a boot ID, and runs the script as the probe would.
type disk struct {
	*testing.T
	root string
}

func newDisk(t *testing.T, uuid string) disk {
	d := disk{t, t.TempDir()}
	d.write("boot_id", "boot-1\n")
	if uuid != "" {
		d.write("disk/longhorn-disk.cfg", `{"diskName":"","diskUUID":"`+uuid+`","diskDriver":""}`)
	}
	return d
}

func (d disk) write(name, content string) {
	d.Helper()
	file := filepath.Join(d.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		d.Fatal(err)
	}
}

// replica writes a directory with one image of so many bytes.
func (d disk) replica(dir, meta string, bytes int) {
	d.write("disk/replicas/"+dir+"/volume.meta", meta)
	d.write("disk/replicas/"+dir+"/volume-head-000.img", strings.Repeat("x", bytes))
}

// look runs the script of a probe whose targets are the directories.
func (d disk) look(dirs ...string) ([]plugin.Sight, error) {
	d.Helper()
	s, ps := probeWorld()
	p := ps[0]
	p.Targets = nil
	args := []string{"-c", probeScript, "probe", filepath.Join(d.root, "boot_id"), filepath.Join(d.root, "disk")}
	for _, dir := range dirs {
		p.Targets = append(p.Targets, plugin.Target{Replica: cluster.UID(dir), DiskUUID: "d1", Directory: dir})
		args = append(args, dir)
	}
	out, err := exec.CommandContext(d.Context(), "/bin/sh", args...).Output()
	if err != nil {
		return nil, err
	}
	return New().Read(s, p, out)
}

const wholeMeta = `{"Size":1048576,"Head":"volume-head-000.img","Dirty":false,"Rebuilding":false,"Error":"","Parent":""}`

// TestProbe_TellsWhatReallyLiesThere runs the very script that is sent.
func TestProbe_TellsWhatReallyLiesThere(t *testing.T) {
	d := newDisk(t, "d1")
	d.replica("vol-whole", wholeMeta+"\n", 4096)
	d.replica("vol-blank", wholeMeta, 0)
	if err := os.Truncate(filepath.Join(d.root, "disk/replicas/vol-blank/volume-head-000.img"), 1<<20); err != nil {
		t.Fatal(err) // as long as the volume, and without a byte in it
	}
	d.replica("vol-half", strings.Replace(wholeMeta, `"Rebuilding":false`, `"Rebuilding":true`, 1), 4096)
	d.replica("vol-empty-meta", "", 4096)
	d.replica("vol-odd-meta", "{", 4096)
	d.replica("vol-headless", strings.Replace(wholeMeta, "head-000", "head-001", 1), 4096)
	d.replica("vol-orphaned", strings.Replace(wholeMeta, `"Parent":""`, `"Parent":"volume-snap-a.img"`, 1), 4096)
	d.replica("vol-erring", strings.Replace(wholeMeta, `"Error":""`, `"Error":"io"`, 1), 4096)
	d.replica("vol-odd-flag", strings.Replace(wholeMeta, `"Rebuilding":false`, `"Rebuilding":"yes"`, 1), 4096)
	d.replica("vol-no-head", strings.Replace(wholeMeta, "volume-head-000.img", "", 1), 4096)
	d.write("disk/replicas/vol-file", "no directory")
	d.write("disk/replicas/vol-bare/other", "")
	d.replica("vol-snapped", strings.Replace(wholeMeta, `"Parent":""`, `"Parent":"volume-snap-a.img"`, 1), 0)
	d.write("disk/replicas/vol-snapped/volume-snap-a.img", strings.Repeat("x", 4096))
	want := map[string]cluster.Seen{
		"vol-whole": cluster.SeenData, "vol-snapped": cluster.SeenData, "vol-blank": cluster.SeenBlank, "vol-gone": cluster.SeenNothing,
		"vol-half": cluster.SeenBroken, "vol-empty-meta": cluster.SeenBroken, "vol-odd-meta": cluster.SeenBroken,
		"vol-headless": cluster.SeenBroken, "vol-orphaned": cluster.SeenBroken, "vol-erring": cluster.SeenBroken,
		"vol-odd-flag": cluster.SeenBroken, "vol-no-head": cluster.SeenBroken,
		"vol-file": cluster.SeenBroken, "vol-bare": cluster.SeenBroken, "vol": cluster.SeenNothing,
	}
	var dirs []string
	for dir := range want {
		dirs = append(dirs, dir)
	}
	before := listing(t, d.root)
	got, err := d.look(dirs...)
	if err != nil || len(got) != len(want) {
		t.Fatalf("sights %+v, error %v", got, err)
	}
	for _, g := range got {
		if g.Seen != want[string(g.Replica)] {
			t.Errorf("%s: saw %s (%v), want %s", g.Replica, g.Seen, g.Facts, want[string(g.Replica)])
		}
	}
	if after := listing(t, d.root); after != before {
		t.Errorf("the look changed something: before\n%s\nafter\n%s", before, after)
	}
}

// listing is every file with its size and time of change.
func listing(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(root, func(p string, i os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, p, i.Size(), i.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProbe_OfAnotherDiskProvesNothing(t *testing.T) {
	for _, c := range []struct {
		name, uuid string
		there      cluster.Seen
		missing    cluster.Seen
	}{
		{"another disk", "d2", cluster.SeenOtherDisk, cluster.SeenReplaced},
		{"a mount point without its disk", "", cluster.SeenOtherDisk, cluster.SeenOtherDisk},
	} {
		d := newDisk(t, c.uuid)
		d.replica("vol-1", wholeMeta, 4096)
		d.replica("vol-blank", wholeMeta, 0)
		d.replica("vol-half", strings.Replace(wholeMeta, `"Rebuilding":false`, `"Rebuilding":true`, 1), 0)
		d.write("disk/replicas/vol-file", "no directory")
		want := []cluster.Seen{c.there, c.missing, c.missing, c.there, c.there}
		got, err := d.look("vol-1", "vol-gone", "vol-blank", "vol-half", "vol-file")
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range got {
			if g.Seen != want[i] {
				t.Errorf("%s: of %s it saw %s, want %s", c.name, g.Replica, g.Seen, want[i])
			}
		}
	}
}

func TestProbe_WithoutTheFolderOfReplicasEveryDirectoryIsMissing(t *testing.T) {
	got, err := newDisk(t, "d1").look("vol-1")
	if err != nil || got[0].Seen != cluster.SeenNothing {
		t.Errorf("saw %+v, error %v", got, err)
	}
}

func TestProbe_WhatCannotBeReadIsNoAnswer(t *testing.T) {
	d := newDisk(t, "d1")
	if err := os.RemoveAll(filepath.Join(d.root, "disk")); err != nil {
		t.Fatal(err)
	}
	if got, err := d.look("vol-1"); err == nil {
		t.Errorf("saw %+v on a disk that is not there", got)
	}
}

func TestRead_BelievesOnlyTheWholeAnswerOfTheRightMachine(t *testing.T) {
	s, ps := probeWorld()
	const disk, dir = `disk {"diskUUID":"d1"}` + "\n", "none vol-1\n"
	if _, err := New().Read(s, ps[0], []byte("boot boot-1\n"+disk+dir+"done 1\n")); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{
		"another machine":      "boot boot-2\n" + disk + dir + "done 1\n",
		"no machine":           disk + dir + "done 1\n",
		"an empty boot":        "boot \n" + disk + dir + "done 1\n",
		"two machines":         "boot boot-1\nboot boot-1\n" + disk + dir + "done 1\n",
		"cut off":              "boot boot-1\n" + disk + dir,
		"cut off in a number":  "boot boot-1\n" + disk + dir + "done \n",
		"of other directories": "boot boot-1\n" + disk + "none vol-2\ndone 1\n",
		"said twice":           "boot boot-1\n" + disk + dir + dir + "done 1\n",
		"too many":             "boot boot-1\n" + disk + dir + "done 2\n",
		"more after the end":   "boot boot-1\n" + disk + dir + "done 1\nboot boot-1\n",
		"noise":                "warning: something\nboot boot-1\n" + disk + dir + "done 1\n",
		"an image of nothing":  "boot boot-1\n" + disk + "image 1 1 1 x\n" + dir + "done 1\n",
		"a negative image":     "boot boot-1\n" + disk + "dir vol-1\nimage 1 -1 1 x\ndone 1\n",
		"a short image":        "boot boot-1\n" + disk + "dir vol-1\nimage 1 1\ndone 1\n",
		"nothing":              "",
	} {
		if got, err := New().Read(s, ps[0], []byte(out)); err == nil {
			t.Errorf("%s: believed as %+v", name, got)
		}
	}
	// A machine that took the name over, and was copied from the one before.
	again := ps[0]
	again.Node.UID = "n0"
	if got, err := New().Read(s, again, []byte("boot boot-1\n"+disk+dir+"done 1\n")); err == nil {
		t.Errorf("believed of a namesake: %+v", got)
	}
	gone := &cluster.Snapshot{}
	if got, err := New().Read(gone, ps[0], []byte("boot \n"+disk+dir+"done 1\n")); err == nil {
		t.Errorf("believed of a node that is gone: %+v", got)
	}
}
