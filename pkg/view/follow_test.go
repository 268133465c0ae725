// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func TestFollower_TellsEachEventOnceAndBreaksTheSilence(t *testing.T) {
	var b bytes.Buffer
	f := NewFollower(&b, Style{})
	h := diary()
	part := record.History{Events: append([]record.Event(nil), h.Events...)}
	for i := range part.Events {
		part.Events[i].Seq, part.Events[i].Run = int64(i+1), "r1"
	}
	now := at()
	f.Skip(record.History{Events: part.Events[:2]}, now)
	for range 3 {
		if err := f.Tell(record.History{Events: part.Events[:4]}, record.Holder{Renewed: now}, now); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(b.String(), "waiting for 3 replicas to move away"); got != 1 {
		t.Errorf("told %d times:\n%s", got, b.String())
	}
	now = now.Add(time.Minute)
	if err := f.Tell(record.History{Events: part.Events[:4]}, record.Holder{Renewed: now.Add(-5 * time.Second)}, now); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "still waiting for 3 replicas to move away (the roll was heard of 5s ago)") {
		t.Errorf("silent for a minute:\n%s", b.String())
	}
	if err := f.Tell(part, record.Holder{}, now); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"going on by bob@desk", "uncertain: the program ended", "halted: node worker-2 is out."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
