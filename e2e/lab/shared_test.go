// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// shared is a cluster that the parts of a test share, and what was written.
type shared struct {
	*world.World
	t *testing.T
	e scenario.Expected
}

// must ends the test at an error.
func (s *shared) must(errs ...error) {
	s.t.Helper()
	for _, err := range errs {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// part runs one part of the story; the parts after it need its end.
func (s *shared) part(t *testing.T, name string, do func(*shared)) {
	t.Helper()
	if t.Failed() {
		return
	}
	t.Run(name, func(t *testing.T) {
		began := time.Now()
		do(&shared{World: s.World, t: t, e: s.e})
		t.Logf("took %s", time.Since(began).Round(time.Second))
		record(t, s.World, "end")
	})
}

// copies counts, by volume, the nodes with a complete copy.
func (s *shared) copies() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	tr := worldtest.Truth(s.t, s.World)
	for volume := range s.e {
		out[volume] = len(homes(tr, s.e, volume))
	}
	return out
}

// homes are the nodes with a complete copy of the volume.
func homes(tr scenario.Truth, e scenario.Expected, volume string) []string {
	nodes := map[string]bool{}
	for _, c := range tr[volume] {
		if c.Sum == e[volume] {
			nodes[c.Node] = true
		}
	}
	return slices.Sorted(maps.Keys(nodes))
}

// verify asks the tool, and holds what it says against the disks as they were
// just before or just after: no volume has fewer copies than are said to be good.
func (s *shared) verify(flags ...string) v1alpha1.Verification {
	s.t.Helper()
	before := s.copies()
	v := s.ask(flags...)
	after := s.copies()
	for _, vol := range v.Volumes {
		if most := max(before[vol.Name], after[vol.Name]); vol.Good > most && s.e[vol.Name] != "" {
			s.t.Errorf("%s is said to have %d good copies, and has %d: %+v", vol.Name, vol.Good, most, vol.Replicas)
		}
	}
	return v
}

// ask asks the tool.
func (s *shared) ask(flags ...string) v1alpha1.Verification {
	s.t.Helper()
	said, err := s.Kubectl(s.t.Context(), append([]string{"safe-roll", "verify", "-o", "json"}, flags...)...)
	s.must(err)
	var v v1alpha1.Verification
	if err := json.Unmarshal([]byte(said.Out), &v); err != nil {
		s.t.Fatalf("%v\n%s", err, said.All())
	}
	return v
}

// noticed waits until the verdict is not Safe any more. Until Longhorn's monitor
// has asked the engine again, some seconds after a process failed, no object tells
// of it, and what is said cannot be held against the disks. That is why a gate
// takes two looks, further apart than this may last.
func (s *shared) noticed() {
	s.t.Helper()
	const limit = 30 * time.Second
	began := time.Now()
	for s.ask().Verdict == v1alpha1.VerdictSafe {
		if time.Since(began) > limit {
			s.t.Fatalf("a failed process is not noticed within %s", limit)
		}
		time.Sleep(time.Second)
	}
	s.t.Logf("noticed after %s", time.Since(began).Round(time.Second))
}

// seen waits until the verdict is, or is not, Safe, and returns what was said.
func (s *shared) seen(safe bool, flags ...string) v1alpha1.Verification {
	s.t.Helper()
	const limit = 5 * time.Minute
	for began := time.Now(); ; time.Sleep(2 * time.Second) {
		v := s.verify(flags...)
		if (v.Verdict == v1alpha1.VerdictSafe) == safe {
			s.t.Logf("%s after %s: %s", v.Verdict, time.Since(began).Round(time.Second), worst(v))
			return v
		}
		if time.Since(began) > limit {
			s.t.Fatalf("still %s after %s: %s", v.Verdict, limit, worst(v))
		}
	}
}

// refused checks that the tool says no, or that it cannot know, and names the
// volumes.
func (s *shared) refused(volumes []string, args ...string) {
	s.t.Helper()
	said, err := s.Kubectl(s.t.Context(), append([]string{"safe-roll"}, args...)...)
	s.must(err)
	if said.Exit != 3 && said.Exit != 4 {
		s.t.Errorf("%v: exit %d, want 3 or 4\n%s", args, said.Exit, said.All())
	}
	worldtest.Named(s.t, said, volumes)
}

// worst are the first findings, in short.
func worst(v v1alpha1.Verification) string {
	out := v.Summary
	for _, f := range v.Findings[:min(4, len(v.Findings))] {
		out += fmt.Sprintf("\n  %s %s %s: %s", f.Severity, f.Code, f.Subject.Name, f.Message)
	}
	return out
}
