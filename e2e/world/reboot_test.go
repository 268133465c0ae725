// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"bufio"
	"io"
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestReboot_InPlaceLosesAndMovesNothing reboots one worker by hand, between
// drain and run, and the others by a command: each is booted once, and every
// replica is where it was.
func TestReboot_InPlaceLosesAndMovesNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 2, Replicas: 3}
	e := worldtest.Build(t, w, i)
	before, places := boots(t, w, i), replicas(t, w)

	said := worldtest.Kubectl(t, w, 0, "safe-roll", "drain", "worker-1", "--for=reboot", "--look-interval=4s")
	if !strings.Contains(said.Out, "reboot the machine of worker-1") {
		t.Errorf("it does not say what to do now:\n%s", said.All())
	}
	if said := worldtest.Kubectl(t, w, 0, "safe-roll", "status"); !strings.Contains(said.Out, "Rebootable") {
		t.Errorf("status: %s", said.Out)
	}
	byHand(t, w, "worker-1")
	said = worldtest.Kubectl(t, w, 0, "safe-roll", "run", "worker-2", "worker-3", "--yes", "--look-interval=4s", "--reboot-command=machine reboot")
	t.Log(said.All())
	if !strings.Contains(said.Out, "every node was rebooted") {
		t.Errorf("it does not say so:\n%s", said.Out)
	}

	for node, was := range before {
		now := boots(t, w, i)[node]
		if now.uid != was.uid || now.boot == was.boot || now.cordoned || !now.accepts {
			t.Errorf("%s: it was %+v and is %+v", node, was, now)
		}
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if now := replicas(t, w); !maps.Equal(now, places) {
		t.Errorf("replicas were moved:\n%v\n%v", places, now)
	}
	worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
	worldtest.Kubectl(t, w, 0, "safe-roll", "report", "--check")
}

// byHand finishes a drain for a reboot as a person would: run, and reboot the
// machine when it says so.
func byHand(t *testing.T, w *world.World, node string) {
	t.Helper()
	r, out := io.Pipe()
	cmd, err := w.StartKubectl(t.Context(), out, "safe-roll", "run", node, "--yes", "--look-interval=4s")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	done := make(chan error, 1)
	go func() {
		asked := false
		var failed error
		for lines := bufio.NewScanner(r); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if asked || !strings.Contains(lines.Text(), "reboot its machine now") {
				continue
			}
			asked = true
			if failed = w.PowerOff(t.Context(), node); failed == nil {
				failed = w.PowerOn(t.Context(), node)
			}
		}
		done <- failed
	}()
	err = cmd.Wait()
	_ = out.Close()
	if handed := <-done; err != nil || handed != nil {
		t.Fatalf("%v, by hand: %v\n%s", err, handed, said.String())
	}
	t.Log(said.String())
}

type boot struct {
	uid, boot         string
	cordoned, accepts bool
}

// boots are the workers as Kubernetes and Longhorn see them.
func boots(t *testing.T, w *world.World, i scenario.Incident) map[string]boot {
	t.Helper()
	out := map[string]boot{}
	for _, name := range i.WorkerNames() {
		n, err := w.Kube.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out[name] = boot{string(n.UID), n.Status.NodeInfo.BootID, n.Spec.Unschedulable, l.Spec.AllowScheduling}
	}
	return out
}

// replicas are the nodes of all replica objects, by name.
func replicas(t *testing.T, w *world.World) map[string]string {
	t.Helper()
	list, err := w.Longhorn.LonghornV1beta2().Replicas(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range list.Items {
		out[r.Name] = r.Spec.NodeID
	}
	return out
}
