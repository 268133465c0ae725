// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// meddling is what others do during a roll.
type meddling []cue

// cue is what somebody does when a line of progress says so, once.
type cue struct {
	line, what string
	do         func()
	acted      bool
}

// starts bounds how often a roll that others disturb is begun.
const starts = 6

// roll runs the command among people who act on their cues, again where it halts
// by that: between is what a person does then. Whoever has acted does not act
// again, and it fails unless all have. It returns all that was said.
func (m meddling) roll(t *testing.T, w *world.World, args []string, between func()) string {
	t.Helper()
	var all strings.Builder
	for range starts {
		exit, said := m.rollOnce(t, w, args)
		all.WriteString(said)
		if exit == 0 {
			for _, c := range m {
				if !c.acted {
					t.Errorf("it was over, and no cue %q for: %s\n%s", c.line, c.what, all.String())
				}
			}
			return all.String()
		}
		t.Logf("exit %d, and once more:\n%s", exit, last(said, 6))
		if exit != 3 && exit != 4 && exit != 5 {
			t.Fatalf("a roll that others disturb ends, or halts with a reason:\n%s", said)
		}
		between()
	}
	t.Fatalf("it never ended:\n%s", all.String())
	return ""
}

func (m meddling) rollOnce(t *testing.T, w *world.World, args []string) (exit int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	r, out := io.Pipe()
	cmd, err := w.StartKubectl(ctx, out, args...)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			for k := range m {
				if c := &m[k]; !c.acted && strings.Contains(lines.Text(), c.line) {
					c.acted = true
					all.WriteString("-- " + c.what + "\n")
					c.do()
				}
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	_ = cmd.Wait() // its exit code says it
	_ = out.Close()
	<-done
	return cmd.ProcessState.ExitCode(), all.String()
}

// handed runs kubectl beside the test's own goroutine, where nothing is fatal.
func handed(t *testing.T, w *world.World, args ...string) {
	if said, err := w.Kubectl(t.Context(), args...); err != nil || said.Exit != 0 {
		t.Errorf("kubectl %v: exit %d, %v\n%s", args, said.Exit, err, said.All())
	}
}

// uidOf is which machine has the name now; beside the test's own goroutine too.
func uidOf(t *testing.T, w *world.World, node string) types.UID {
	n, err := w.Kube.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
	if err != nil {
		t.Error(err)
		return ""
	}
	return n.UID
}

// fewLooks is long enough for the roll to look and to say what it waits for.
const fewLooks = 5 * time.Second

// rebuildIn sets how long a rebuild takes; the real manager takes what it takes.
func rebuildIn(w *world.World, d time.Duration) {
	if w.Standin != nil {
		w.Standin.SetRebuild("", model.Rebuild{Duration: d})
	}
}

// TestRun_SomebodyDrainsAnotherNodeByHand: another node is drained by kubectl while the
// roll moves replicas away from its own. What that takes away is copied again, slowly,
// and meanwhile no machine goes and no volume has fewer copies than it must.
func TestRun_SomebodyDrainsAnotherNodeByHand(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 4, Users: 5, LoggedIn: 2, Replicas: 2}
	e := worldtest.Build(t, w, i)
	rebuildIn(w, fewLooks)
	x := w.Watch(t.Context(), e, i.Replicas)
	x.Theirs("worker-3")
	over := make(chan struct{})
	others := meddling{{line: "worker-1 · evacuate", what: "worker-3 is drained by hand", do: func() {
		go func() { // the roll goes on meanwhile
			defer close(over)
			rebuildIn(w, 3*fewLooks)
			handed(t, w, "drain", "worker-3", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=2m")
			time.Sleep(fewLooks)
			rebuildIn(w, fewLooks)
			handed(t, w, "uncordon", "worker-3")
		}()
	}}}
	handOver := func() {
		if others[0].acted {
			<-over
		}
	}
	said := others.roll(t, w, []string{
		"safe-roll", "run", "worker-1", "worker-2", "--yes", "--look-interval=4s", "--lock-duration=12s", "--replace-command=machine replace",
	}, handOver)
	handOver()
	t.Log(said)
	for _, want := range []string{"somebody cordoned node worker-3", "somebody uncordoned node worker-3"} {
		if !strings.Contains(said, want) {
			t.Errorf("it never says %q", want)
		}
	}
	judge(t, w, x, e)
}

// TestRun_AnAutoscalerRemovesANodeWithReplicas: a node that holds replicas, and is
// none of ours, is drained and gone for good in the middle of a turn. What sleeps
// nobody rebuilds then: the roll takes nothing more out, and halts by its limit and
// says for what. Given up and begun anew it heals that first, and goes on to the end.
func TestRun_AnAutoscalerRemovesANodeWithReplicas(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 4, Users: 5, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	ours, halts := uidOf(t, w, "worker-1"), 0
	others := meddling{{line: "worker-1 · drain", what: "worker-4 is removed", do: func() {
		handed(t, w, "drain", "worker-4", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=1m")
		if err := w.PowerOff(t.Context(), "worker-4"); err != nil {
			t.Error(err)
		}
		handed(t, w, "delete", "node", "worker-4")
	}}}
	said := others.roll(t, w, []string{
		"safe-roll", "run", "worker-1", "worker-2", "--yes", "--look-interval=4s", "--lock-duration=12s",
		"--settle-limit=20s", "--replace-command=machine replace",
	}, func() {
		halts++
		if now := uidOf(t, w, "worker-1"); now != ours {
			t.Errorf("worker-1 was replaced (%s, before %s) while copies were missing", now, ours)
		}
		worldtest.Kubectl(t, w, 0, "safe-roll", "abort")
	})
	t.Log(said)
	if halts == 0 {
		t.Error("what sleeps is short of a replica, and the roll went on")
	}
	for _, want := range []string{"node worker-4 (UID ", "without node worker-1, and must keep 2"} {
		if !strings.Contains(said, want) {
			t.Errorf("it never says %q", want)
		}
	}
	whole(t, w, e, i.Replicas)
}

// judge judges a roll that has ended: by what was seen meanwhile, and by the disks.
func judge(t *testing.T, w *world.World, x *world.Witness, e scenario.Expected) {
	t.Helper()
	report, err := x.Judge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Violations {
		t.Error(v)
	}
	whole(t, w, e, x.Want)
	t.Logf("fewest copies at any moment: %v", x.Least())
}

// whole asks the disks.
func whole(t *testing.T, w *world.World, e scenario.Expected, want int) {
	t.Helper()
	tr := worldtest.Truth(t, w)
	if lost := tr.Lost(e); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	if short := tr.Short(e, want); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", want, short)
	}
}
