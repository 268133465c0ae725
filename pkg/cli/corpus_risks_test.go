// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
)

// TestCorpus_AFlagThatAFindingNamesAcceptsIt takes every refusal of the corpus at
// its word: with the flag that it names, the finding refuses no more. And each
// says why in a sentence, with evidence and a remedy.
func TestCorpus_AFlagThatAFindingNamesAcceptsIt(t *testing.T) {
	tried := map[string]int{}
	for _, file := range corpusFiles(t) {
		c := loadCase(t, file)
		if c.want.Exit != 3 && c.want.Exit != 4 {
			continue
		}
		_, out, _ := c.run("json")
		for _, f := range refusing(t, out) {
			spelled := f.Message[:1] == strings.ToUpper(f.Message[:1]) || strings.HasPrefix(f.Message, f.Subject.Name)
			if !strings.HasSuffix(f.Message, ".") || !spelled {
				t.Errorf("%s: no sentence: %q", c.name, f.Message)
			}
			if f.Remedy == "" || len(f.Evidence) == 0 {
				t.Errorf("%s: %s comes without a remedy, or without evidence: %q", c.name, f.Code, f.Message)
			}
			if f.Accept == "" {
				continue
			}
			tried[f.Code]++
			accepting := *c
			accepting.args = append(append([]string(nil), c.args...), f.Accept)
			_, out, errs := accepting.run("json")
			if out == "" {
				t.Errorf("%s: %s: %s", c.name, f.Accept, errs)
				continue
			}
			for _, still := range refusing(t, out) {
				if still.Code == f.Code && still.Subject == f.Subject {
					t.Errorf("%s: with %s it is still refused: %s", c.name, f.Accept, still.Message)
				}
			}
		}
	}
	if len(tried) < 3 {
		t.Errorf("only these risks occur in the corpus: %v", tried)
	}
	t.Log(tried)
}

// refusing are the findings that are no mere notes.
func refusing(t *testing.T, text string) []v1alpha1.Finding {
	t.Helper()
	var v v1alpha1.Verification
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var out []v1alpha1.Finding
	for _, f := range v.Findings {
		if f.Severity != "Note" {
			out = append(out, f)
		}
	}
	return out
}
