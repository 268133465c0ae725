// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/longhorn/types/pkg/generated/enginerpc"
	"github.com/longhorn/types/pkg/generated/imrpc"

	"github.com/safe-roll/kubectl-safe-roll/e2e/device"
	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
)

// bench is a data plane with machines, on addresses of the loopback.
type bench struct {
	*Plane
	t       *testing.T
	servers map[string]*Server
}

func newBench(t *testing.T, nodes ...string) *bench {
	t.Helper()
	b := &bench{Plane: NewPlane(1 << 20), t: t, servers: map[string]*Server{}}
	for i, n := range nodes {
		s, err := b.Serve(t.Context(), Place{Node: n, IP: "127.77.0." + strconv.Itoa(i+1), DiskDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		b.servers[n] = s
	}
	return b
}

// run starts a process and returns its address as the manager would write it.
func (b *bench) run(node, kind, name string, args ...string) *imrpc.InstanceResponse {
	b.t.Helper()
	r, err := b.servers[node].InstanceCreate(b.t.Context(), &imrpc.InstanceCreateRequest{Spec: &imrpc.InstanceSpec{
		Name: name, Type: kind, VolumeName: "v", ProcessInstanceSpec: &imrpc.ProcessInstanceSpec{Args: args},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// replica starts one, with or without counting its writes.
func (b *bench) replica(node string, more ...string) string {
	b.t.Helper()
	args := append([]string{"--volume-name", "v", "replica", hostDisk + "/replicas/v-12345678", "--size", "1024"}, more...)
	r := b.run(node, "replica", "r-"+node, args...)
	return fmt.Sprintf("tcp://%s:%d", b.servers[node].at.IP, r.GetStatus().GetPortStart())
}

func (b *bench) engine(replicas ...string) *imrpc.InstanceResponse {
	b.t.Helper()
	args := []string{"controller", "v", "--frontend", "tgt-blockdev", "--size", "1024"}
	for _, r := range replicas {
		args = append(args, "--replica", r)
	}
	return b.run("a", "engine", "e", args...)
}

func (b *bench) dir(node string) string {
	return filepath.Join(b.servers[node].at.DiskDir, disk.ReplicasFolder, "v-12345678")
}

func (b *bench) mode(address string) enginerpc.ReplicaMode {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.engineOf("v")
	e.refresh(b.Plane)
	return e.modes[address]
}

const uncounted = "--disableRevCounter"

// TestReplica_StartsBlankWhereItsFolderIsMissing is how data are lost: nobody
// is told, and the engine reads from the blank one too.
func TestReplica_StartsBlankWhereItsFolderIsMissing(t *testing.T) {
	b := newBench(t, "a", "b")
	a1, b1 := b.replica("a", uncounted), b.replica("b", uncounted)
	b.engine(a1, b1)
	if err := b.WriteDevice("v", []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"e", "r-a", "r-b"} {
		for _, s := range b.servers {
			_, _ = s.InstanceDelete(t.Context(), &imrpc.InstanceDeleteRequest{Name: kind})
		}
	}
	if err := os.RemoveAll(b.dir("b")); err != nil {
		t.Fatal(err)
	}
	b.engine(b.replica("a", uncounted), b.replica("b", uncounted))
	read := map[string]bool{}
	for range 4 {
		raw, err := b.ReadDevice("v")
		if err != nil {
			t.Fatal(err)
		}
		read[string(raw)] = true
	}
	if !read["bytes"] || !read[""] {
		t.Errorf("read %v, want the bytes and nothing by turns", read)
	}
}

func TestEngine_GivesUpAReplicaThatCountedFewerWrites(t *testing.T) {
	b := newBench(t, "a", "b")
	b1 := b.replica("b")
	a1 := b.replica("a")
	m, err := disk.ReadMeta(b.dir("a"))
	if err != nil {
		t.Fatal(err)
	}
	m.Revision = 7
	if err := disk.WriteMeta(b.dir("a"), m); err != nil {
		t.Fatal(err)
	}
	b.engine(a1, b1)
	if b.mode(a1) != enginerpc.ReplicaMode_RW || b.mode(b1) != enginerpc.ReplicaMode_ERR {
		t.Errorf("modes %v and %v", b.mode(a1), b.mode(b1))
	}
}

func TestEngine_DoesNotStartWithoutAnyReplica(t *testing.T) {
	b := newBench(t, "a")
	if r := b.engine("tcp://127.77.0.9:10000"); r.GetStatus().GetState() != "error" {
		t.Errorf("it is %s", r.GetStatus().GetState())
	}
	if _, err := b.ReadDevice("v"); !errors.Is(err, device.ErrNotAttached) {
		t.Errorf("read: %v", err)
	}
}

func TestRebuild_CopiesAtTheRateAndIsHalfBuiltUntilItsEnd(t *testing.T) {
	b := newBench(t, "a", "b")
	a1 := b.replica("a", uncounted)
	b.engine(a1)
	if err := b.WriteDevice("v", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	b.SetRate(2000)
	b1 := b.replica("b", uncounted)
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- b.addReplica(t.Context(), b.engineOfLocked(), b1) }()
	for half := false; !half; time.Sleep(10 * time.Millisecond) {
		m, err := disk.ReadMeta(b.dir("b"))
		half = err == nil && m.Rebuilding && b.mode(b1) == enginerpc.ReplicaMode_WO
		if !half && len(done) > 0 {
			t.Fatalf("it ended, and was never seen in the middle: %+v, %v, mode %v", m, err, b.mode(b1))
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("1000 bytes at 2000 a second took %s", took)
	}
	m, err := disk.ReadMeta(b.dir("b"))
	if err != nil || m.Rebuilding || b.mode(b1) != enginerpc.ReplicaMode_RW {
		t.Errorf("at the end: %+v, %v, mode %v", m, err, b.mode(b1))
	}
}

func (b *bench) engineOfLocked() *engine {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engineOf("v")
}

func TestRebuild_FailsOnRequestAndLeavesAHalfBuiltReplica(t *testing.T) {
	b := newBench(t, "a", "b")
	b.engine(b.replica("a", uncounted))
	if err := b.WriteDevice("v", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	b.FailRebuilds("v", "no space left on device")
	b1 := b.replica("b", uncounted)
	if err := b.addReplica(t.Context(), b.engineOfLocked(), b1); err == nil || b.mode(b1) != enginerpc.ReplicaMode_ERR {
		t.Errorf("%v, mode %v", err, b.mode(b1))
	}
	if n := b.FailedRebuilds("v"); n != 1 {
		t.Errorf("%d rebuilds are said to have failed", n)
	}
}

func TestPlane_ReplicasFailOnRequest(t *testing.T) {
	b := newBench(t, "a", "b", "c")
	a1, b1, c1 := b.replica("a", uncounted), b.replica("b", uncounted), b.replica("c", uncounted)
	b.engine(a1, b1, c1)
	if err := errors.Join(b.FailReplica("v", "b"), b.KillReplica("v", "c")); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]enginerpc.ReplicaMode{a1: enginerpc.ReplicaMode_RW, b1: enginerpc.ReplicaMode_ERR, c1: enginerpc.ReplicaMode_ERR} {
		if got := b.mode(address); got != want {
			t.Errorf("%s is %v, want %v", address, got, want)
		}
	}
	r, err := b.servers["c"].InstanceGet(t.Context(), &imrpc.InstanceGetRequest{Name: "r-c"})
	if err != nil || r.GetStatus().GetState() != "error" {
		t.Errorf("the crashed process is %v, %v", r.GetStatus(), err)
	}
}
