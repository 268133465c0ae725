// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// startAs starts a world that imitates a version of Longhorn.
func startAs(t *testing.T, o standin.Options) *world.World {
	t.Helper()
	if os.Getenv(labEnv) != "" {
		t.Skip("the lab runs one version of the real manager")
	}
	w, err := world.Start(t.Context(), world.Options{Out: os.Stderr, Standin: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs in %s", w.CloseKeepingLogs())
			return
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// begin starts the tool, calls on for every line that it prints, and returns
// what interrupts it, and what waits for its end: the exit code and all that was
// said.
func begin(t *testing.T, w *world.World, on func(line string), args ...string) (interrupt func(), end func() (int, string)) {
	t.Helper()
	signal, end := started(t, w, on, args...)
	return func() { signal(syscall.SIGINT) }, end
}

// beginToKill is begin for a tool that is to be killed.
func beginToKill(t *testing.T, w *world.World, on func(line string), args ...string) (kill func(), end func() (int, string)) {
	t.Helper()
	signal, end := started(t, w, on, args...)
	return func() { signal(syscall.SIGKILL) }, end
}

func started(t *testing.T, w *world.World, on func(line string), args ...string) (signal func(os.Signal), end func() (int, string)) {
	t.Helper()
	r, out := io.Pipe()
	cmd, err := w.StartKubectl(t.Context(), out, args...)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			on(lines.Text())
		}
	}()
	signal = func(s os.Signal) { _ = cmd.Process.Signal(s) }
	return signal, func() (int, string) {
		_ = cmd.Wait()
		_ = out.Close()
		<-done
		return cmd.ProcessState.ExitCode(), said.String()
	}
}

// specs is what a roll changes and must put back, as bytes: what the storage's
// nodes accept, its settings, and what each volume says of its rebuilding.
func specs(t *testing.T, w *world.World) map[string]string {
	t.Helper()
	out := map[string]string{}
	put := func(name string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(raw)
	}
	lh := w.Longhorn.LonghornV1beta2()
	nodes, err := lh.Nodes(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes.Items {
		put("node "+n.Name, n.Spec)
	}
	settings, err := lh.Settings(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings.Items {
		put("setting "+s.Name, s.Value)
	}
	volumes, err := lh.Volumes(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Items {
		put("volume "+v.Name, v.Spec.OfflineRebuilding)
	}
	kube, err := w.Kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range kube.Items {
		put("kubernetes node "+n.Name, n.Spec)
	}
	return out
}

func sameSpecs(t *testing.T, before, after map[string]string) {
	t.Helper()
	for name, was := range before {
		if now := after[name]; now != was {
			t.Errorf("%s was %s and is %s", name, was, now)
		}
	}
}

// TestAbort_InTheMiddleOfAnEviction leaves every flag and setting as it was.
func TestAbort_InTheMiddleOfAnEviction(t *testing.T) {
	t.Parallel()
	w, i := startAs(t, standin.Options{}), small()
	e := worldtest.Build(t, w, i)
	before := specs(t, w)
	w.Standin.SetRebuild("", model.Rebuild{Duration: time.Minute})
	moving := make(chan struct{}, 100)
	interrupt, end := begin(t, w, func(line string) {
		if strings.Contains(line, "evacuate  waiting") {
			moving <- struct{}{}
		}
	}, "safe-roll", "run", "worker-1", "--yes", "--no-replenish-wait", "--replace-command=machine replace")
	select {
	case <-moving:
	case <-time.After(time.Minute):
		t.Error("nothing begins to move")
	}
	time.Sleep(2 * time.Second)
	during := specs(t, w)
	if !strings.Contains(during["node worker-1"], `"evictionRequested":true`) || during["setting replica-replenishment-wait-interval"] != `"0"` {
		t.Errorf("nothing was changed: %s, %s", during["node worker-1"], during["setting replica-replenishment-wait-interval"])
	}
	interrupt()
	if code, said := end(); code != 130 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	if now := specs(t, w)["setting replica-replenishment-wait-interval"]; now != `"600"` {
		t.Errorf("after the interruption the interval is %s", now)
	}
	worldtest.Kubectl(t, w, 0, "safe-roll", "abort")
	sameSpecs(t, before, specs(t, w))
	w.Standin.SetRebuild("", model.Rebuild{})
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
}

// TestRun_1_10 replaces a worker where the storage's node object outlives the
// machine, and detached volumes are rebuilt by Longhorn while they sleep. The
// replenishment interval is ten minutes, and nothing waits for it.
func TestRun_1_10(t *testing.T) {
	t.Parallel()
	w, i := startAs(t, standin.Options{Behaviour: model.V1100()}), small()
	i.Replicas = 3
	e := worldtest.Build(t, w, i)
	before := specs(t, w)
	old, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	said := worldtest.Kubectl(t, w, 0, "safe-roll", "run", "worker-1", "--yes", "--look-interval=4s",
		"--retire-command=machine retire", "--create-command=machine create")
	t.Log(said.All())
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("it took %s: it waited for what will not return", took)
	}
	for _, want := range []string{"still keeps an object for worker-1", "its storage shall rebuild it"} {
		if !strings.Contains(said.All(), want) {
			t.Errorf("it never says %q", want)
		}
	}
	now, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil || now.UID == old.UID {
		t.Errorf("the storage's node is the old one: %v", err)
	}
	after := specs(t, w)
	for name, was := range before {
		if !strings.HasSuffix(name, "worker-1") && after[name] != was {
			t.Errorf("%s was %s and is %s", name, was, after[name])
		}
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("still held: %v", awake)
	}
}
