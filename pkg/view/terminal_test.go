// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// recorded is the journal of a roll on a real API server.
func recorded(t *testing.T, name string) record.History {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../cli/testdata/journals", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var h record.History
	for line := range bytes.Lines(text) {
		var e record.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		h.Events = append(h.Events, e)
	}
	return h
}

// TestFollow_ARecordedRollFitsTheTerminal tells real rolls as status and status -w
// tell them, on terminals of 80 and 200 columns and through a pipe.
func TestFollow_ARecordedRollFitsTheTerminal(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	for _, name := range []string{"clean", "interrupted", "halted"} {
		h := recorded(t, name)
		last := h.Events[len(h.Events)-1]
		for _, width := range []int{0, 80, 200} {
			var b bytes.Buffer
			style := Style{Width: width}
			f := NewFollower(&b, style)
			for i := range h.Events {
				if err := f.Tell(record.History{Events: h.Events[:i+1]}, record.Holder{}, h.Events[i].At); err != nil {
					t.Fatal(err)
				}
			}
			b.WriteString("\n")
			if err := (Status{History: h, Now: last.At.Add(time.Minute)}).Text(&b, style); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if n := visible(strings.TrimRight(line, "\n")); width > 0 && n > width {
					t.Errorf("%s: %d columns of %d: %s", name, n, width, line)
				}
			}
			golden(t, fmt.Sprintf("follow-%s-%d.txt", name, width), b.Bytes())
		}
	}
}

// TestGlance_TheNumbersAreSeenAtEightyColumns: what is cut off is what the line
// above has told.
func TestGlance_TheNumbersAreSeenAtEightyColumns(t *testing.T) {
	w := waiting{phase: decide.Evacuate, since: at(), brief: "12.4 GiB, ~3m at 71 MiB/s (of 1m)"}
	w.set(decide.Wait{For: "the storage to move what it has away from worker-1 (21 left)", Left: make([]string, 21), Limit: 30 * time.Minute, LimitName: "evacuation limit"})
	p := place{turn: 1, turns: 3, node: "worker-1", phase: decide.Evacuate}
	got := cut(p.String()+w.glance(at().Add(42*time.Second)), 76)
	for _, want := range []string{"1/3 worker-1", "evacuate", "21 left", "12.4 GiB, ~3m at 71 MiB/s (of 1m)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if text := w.text(at().Add(42 * time.Second)); !strings.Contains(text, "away from worker-1 (21 left; 42s, evacuation limit 30m)") {
		t.Errorf("%q", text)
	}
}

func TestTable_TheLastColumnGoesOnBelowItself(t *testing.T) {
	var b bytes.Buffer
	p := &printer{to: &b, style: Style{Width: 40}}
	p.table([][]string{{"NODE", "WHY"}, {"worker-1", "all 21 replicas on it fit elsewhere today"}})
	want := "NODE      WHY\nworker-1  all 21 replicas on it fit\n          elsewhere today\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// Whoever watches from elsewhere sees what is left, and how fast it goes, too.
func TestFollow_TellsWhatIsLeftWhereTheClusterMayBeRead(t *testing.T) {
	h := recorded(t, "clean")
	i := slices.IndexFunc(h.Events, func(e record.Event) bool { return e.Kind == record.Waiting && e.Phase == decide.Evacuate })
	h.Events = h.Events[:i+1]
	now := h.Events[i].At
	var b bytes.Buffer
	f := NewFollower(&b, Style{})
	f.Skip(h, now)
	node := f.place.node
	moving := func(n int) *assess.Judgement {
		j := lacking(n)
		for k := range j.Volumes {
			j.Volumes[k].Replicas = []assess.ReplicaJudgement{{Replica: &cluster.Replica{Node: node}}}
		}
		return j
	}
	f.See(moving(4), now)
	f.See(moving(2), now.Add(20*time.Second))
	f.See(nil, now.Add(25*time.Second))
	if err := f.Tell(h, record.Holder{}, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "; 2 GiB to copy, about 20s more at the 102.4 MiB/s of the last 20s") {
		t.Errorf("it does not say what is left:\n%s", b.String())
	}
	b.Reset()
	holder := record.Holder{Identity: "ada", Expires: now.Add(time.Hour), Renewed: now}
	if err := (Status{History: h, Holder: holder, Now: now, Judgement: moving(2)}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "0 of 2 volumes whole, 2 GiB left to copy") {
		t.Errorf("status does not say what is left:\n%s", b.String())
	}
}
