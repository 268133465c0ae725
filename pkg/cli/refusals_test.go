// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// refused is a refusal for the code: every code of the catalogue is told in the
// same way.
func refused(doc view.Doc) assess.Finding {
	f := assess.Finding{
		Code: doc.Code, Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Namespace: "ns", Name: "data"},
		Message: "Volume data is not as it must be.", Evidence: []cluster.Fact{{Name: "some.fact", Value: "as it was read"}},
	}
	if doc.Risk != "" {
		code, _, _ := strings.Cut(strings.TrimPrefix(doc.Risk, "--accept-risk="), ":")
		f.Risk = policy.Risk{Code: code, Name: "data"}
	}
	return f
}

// halted is the journal of a roll that halted with the finding, as the roll
// writes it.
func halted(c view.Catalogue, f assess.Finding) record.History {
	kept := record.Finding{Code: f.Code, Severity: f.Severity.String(), Subject: f.Subject, Message: f.Message, Evidence: f.Evidence}
	kept.Remedy, kept.Accept = c.Advise(f)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	plan := &decide.Plan{Run: "r1", Goal: decide.UntilReplaced, Policy: policy.Default(),
		Turns: []decide.PlannedTurn{{Node: cluster.NodeRef{Name: "worker-1", UID: "u1"}, Strategy: policy.Evict}}}
	return record.History{Events: []record.Event{
		{Run: "r1", Epoch: 1, Seq: 1, At: at, Kind: record.Started, Plan: plan},
		{Run: "r1", Epoch: 1, Seq: 2, At: at.Add(time.Second), Kind: record.Halted, Exit: 3, Text: "node worker-1 may not go now", Findings: []record.Finding{kept}},
	}}
}

// TestRefusals_SayTheSameInTextJSONAndJournal takes every code there is through
// every way in which a refusal reaches people and programs: what, why, on what
// evidence, what to do, and which flag accepts it if one does.
func TestRefusals_SayTheSameInTextJSONAndJournal(t *testing.T) {
	c := catalogue(plugins.All())
	if len(c) < 100 {
		t.Fatalf("only %d codes", len(c))
	}
	for _, code := range c.Sorted() {
		f := refused(c[code])
		remedy, accept := c.Advise(f)
		want := []string{f.Message, "[" + code + "]", "some.fact: as it was read", code + ": " + remedy}
		if accept == "" {
			want = append(want, "No flag accepts this.")
		} else {
			want = append(want, remedy+" "+accept+" accepts it.")
		}
		history := halted(c, f)
		report := view.Report{History: history, Now: history.Events[1].At}
		for name, write := range map[string]func(*bytes.Buffer) error{
			"a refusal": func(b *bytes.Buffer) error {
				return view.Refusal{What: "drain worker-1", Findings: []assess.Finding{f}, Catalogue: c}.Text(b, view.Style{})
			},
			"a halt": func(b *bytes.Buffer) error {
				return view.Halted{Halt: decide.Halt{Findings: []assess.Finding{f}}, Catalogue: c}.Text(b, view.Style{})
			},
			"the report": func(b *bytes.Buffer) error { return report.Text(b, view.Style{}) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if !strings.Contains(b.String(), w) {
					t.Errorf("%s: %s does not say %q:\n%s", code, name, w, b.String())
				}
			}
		}
		public := v1alpha1.Finding{
			Code: code, Severity: "Unsafe", Message: f.Message, Subject: v1alpha1.Subject{Kind: "Volume", Namespace: "ns", Name: "data"},
			Evidence: []v1alpha1.Fact{{Name: "some.fact", Value: "as it was read"}}, Remedy: remedy, Accept: accept,
		}
		var b bytes.Buffer
		if err := (view.Refusal{Findings: []assess.Finding{f}, Catalogue: c}).JSON(&b); err != nil {
			t.Fatal(err)
		}
		var event v1alpha1.Event
		if err := json.Unmarshal(b.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][]v1alpha1.Finding{"JSON": event.Findings, "the report's JSON": report.Object().Findings} {
			if d := gocmp.Diff([]v1alpha1.Finding{public}, got); d != "" {
				t.Errorf("%s: %s says something else:\n%s", code, name, d)
			}
		}
	}
}

// A remedy is read at night: sentences, and no placeholder where the flag itself
// is said.
func TestCatalogue_EveryCodeHasAMeaningAndARemedyInSentences(t *testing.T) {
	c := catalogue(plugins.All())
	for _, code := range c.Sorted() {
		for what, text := range map[string]string{"meaning": c[code].Means, "remedy": c[code].Remedy} {
			if len(text) < 5 || !strings.HasSuffix(text, ".") || text[:1] != strings.ToUpper(text[:1]) {
				t.Errorf("%s: its %s is no sentence: %q", code, what, text)
			}
		}
		if strings.Contains(c[code].Remedy, code+":") {
			t.Errorf("%s: its remedy spells its own flag, which is said besides: %q", code, c[code].Remedy)
		}
	}
}

// TestRisks_AreWhatTheFlagTakes holds the documented flags to the parser: every
// one is taken as it is spelled, every risk is documented, and no other code is
// taken: whoever gives a flag believes that it does something.
func TestRisks_AreWhatTheFlagTakes(t *testing.T) {
	c := catalogue(plugins.All())
	parsed := func(flag string) (policy.Policy, error) {
		p := newPolicyFlags()
		p.risks = []string{strings.TrimPrefix(flag, "--accept-risk=")}
		return p.policy, p.complete()
	}
	known := map[string]bool{}
	for _, r := range risks() {
		known[r.Code] = true
		doc := c[cmp.Or(r.For, r.Code)].Risk
		if want := "--accept-risk=" + r.Code + ":" + r.Of; doc != want {
			t.Errorf("%s is documented as %q, want %q", r.Code, doc, want)
		}
		if _, err := parsed(doc); err != nil {
			t.Errorf("the documented flag is refused: %v", err)
		}
	}
	for _, code := range c.Sorted() {
		if _, err := parsed(code + ":NAME"); (err == nil) != known[code] {
			t.Errorf("%s: a risk: %v; the flag says %v", code, known[code], err)
		}
	}
	for _, never := range []string{assess.VolumeLastCopy, assess.VolumeWouldBeFormatted, assess.InputGapNeeded} {
		if known[never] {
			t.Errorf("%s can be accepted", never)
		}
	}
}
