// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// event is one line of a script that is played in every world.
type event struct {
	name string
	do   func(context.Context, *world.World) error
}

// nodes of the script.
func nodes() []string { return []string{"worker-1", "worker-2", "worker-3"} }

// script is played over two volumes, one in use and one asleep, that have a
// replica on every node, so that it does not matter where a world places them.
func script() []event {
	return []event{
		{"built", func(context.Context, *world.World) error { return nil }},
		{"power off", func(_ context.Context, w *world.World) error { return w.Fleet.PowerOff("worker-1") }},
		{"power on", func(ctx context.Context, w *world.World) error { return w.PowerOn(ctx, "worker-1") }},
		{"data removed", func(ctx context.Context, w *world.World) error { return w.RemoveData(ctx, "worker-3", "three-asleep") }},
		{"disk replaced", func(ctx context.Context, w *world.World) error { return w.ReplaceDisk(ctx, "worker-2") }},
		{"same name", func(ctx context.Context, w *world.World) error { return w.Recreate(ctx, "worker-1", "worker-1") }},
		{"new name", func(ctx context.Context, w *world.World) error { return w.Recreate(ctx, "worker-1", "worker-1-b") }},
	}
}

// stage sets it: all pods on the last node.
func stage(t *testing.T, w *world.World) error {
	i := scenario.Incident{Workers: len(nodes())}
	if err := i.Machines(t.Context(), w); err != nil {
		return err
	}
	said, err := w.Kubectl(t.Context(), "taint", "nodes", nodes()[0], nodes()[1], "stage=off:NoSchedule")
	if err != nil || said.Exit != 0 {
		return fmt.Errorf("taint: %v\n%s", err, said.All())
	}
	return threes(t.Context(), w)
}

// TestConformance_StandinAndLonghornLookTheSame plays one script with the
// stand-in and with the real manager, side by side, and compares what the tool
// sees when things have come to rest. Where they differ, the stand-in is wrong.
func TestConformance_StandinAndLonghornLookTheSame(t *testing.T) {
	long(t)
	real := start(t, nil)
	model := worldtest.Start(t, world.Options{})
	if err := both(real, model, func(w *world.World) error { return stage(t, w) }); err != nil {
		t.Fatal(err)
	}
	for _, e := range script() {
		looks := map[*world.World][]string{}
		var mu sync.Mutex
		err := both(real, model, func(w *world.World) error {
			if err := e.do(t.Context(), w); err != nil {
				return err
			}
			seen, err := rest(t.Context(), w)
			mu.Lock()
			defer mu.Unlock()
			looks[w] = seen
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		record(t, real, strings.ReplaceAll(e.name, " ", "-"))
		t.Logf("%s: Longhorn:\n%s", e.name, strings.Join(looks[real], "\n"))
		if !slices.Equal(looks[real], looks[model]) {
			t.Errorf("after %q the stand-in looks otherwise:\n%s", e.name, strings.Join(looks[model], "\n"))
		}
	}
}

// both does it in two worlds at once.
func both(one, other *world.World, do func(*world.World) error) error {
	failed := make(chan error)
	go func() { failed <- do(one) }()
	err := do(other)
	return errors.Join(err, <-failed)
}

// How long a look must stay the same until it counts as rest, and how long that
// is waited for.
const (
	restFor   = 40 * time.Second
	restLimit = 5 * time.Minute
)

// rest returns what the tool sees when that does not change any more.
func rest(ctx context.Context, w *world.World) ([]string, error) {
	var last []string
	since, began := time.Now(), time.Now()
	for time.Since(since) < restFor {
		if time.Since(began) > restLimit {
			return nil, fmt.Errorf("no rest within %s; last seen:\n%s", restLimit, strings.Join(last, "\n"))
		}
		now, err := look(ctx, w)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(now, last) {
			last, since = now, time.Now()
		}
		time.Sleep(2 * time.Second)
	}
	return last, nil
}

// look is what the tool sees, without what differs between any two clusters.
func look(ctx context.Context, w *world.World) ([]string, error) {
	said, err := w.Kubectl(ctx, "safe-roll", "verify", "-o", "json")
	if err != nil {
		return nil, err
	}
	var v v1alpha1.Verification
	if err := json.Unmarshal([]byte(said.Out), &v); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, said.All())
	}
	out := []string{"verdict " + string(v.Verdict)}
	for _, vol := range v.Volumes {
		var replicas []string
		for _, r := range vol.Replicas {
			replicas = append(replicas, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Node, r.Standing, r.Code)))
		}
		slices.Sort(replicas)
		out = append(out, fmt.Sprintf("%s %s %d of %d: %s", vol.Name, vol.Condition, vol.Good, vol.Want, strings.Join(replicas, "; ")))
	}
	for _, f := range v.Findings {
		out = append(out, fmt.Sprintf("%s %s %s %s", f.Severity, f.Code, f.Subject.Kind, subject(f.Subject)))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// subject is the name of what has the same name in every world.
func subject(s v1alpha1.Subject) string {
	if s.Kind == "Volume" || s.Kind == "Node" {
		return s.Name
	}
	return ""
}
