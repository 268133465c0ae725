// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// recordingsTable shows every recorded step: what verify says, and the truth.
func recordingsTable(t *testing.T) string {
	out := "\n### Every recorded step\n\n" +
		"| step | every volume is whole | verify | good replicas: verify, truth | fewer than the truth |\n|---|---|---|---|---|\n"
	recordings := recordedSteps(t)
	for _, scenario := range slices.Sorted(maps.Keys(recordings)) {
		content := contents(recordings[scenario])
		for _, s := range recordings[scenario] {
			out += s.row(t, s.truth(content))
		}
	}
	return out
}

func (s *recordedStep) row(t *testing.T, truth map[string]int) string {
	v := s.verification(t)
	said, truly, whole := 0, 0, "no"
	if s.whole(truth) {
		whole = "yes"
	}
	var fewer []string
	for _, x := range v.Volumes {
		said, truly = said+x.Good, truly+truth[x.Name]
		if x.Good < truth[x.Name] {
			fewer = append(fewer, fmt.Sprintf("%s %d of %d", x.Name, x.Good, truth[x.Name]))
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %d, %d | %s |\n", s.name, whole, v.Verdict, said, truly, strings.Join(fewer, ", "))
}
