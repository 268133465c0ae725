// SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Advise says what a reader of one finding must know besides it: what to do,
// and the flag that accepts it, empty where none does. Text, JSON and the
// journal all take it from here, so that they say the same.
func (c Catalogue) Advise(f assess.Finding) (remedy, accept string) {
	if f.Severity != assess.Note && f.Risk != (policy.Risk{}) {
		accept = flagOf(f.Risk)
	}
	return c[cmp.Or(f.Advice, f.Code)].Remedy, accept
}

func flagOf(r policy.Risk) string { return "--accept-risk=" + r.String() }

// Findings turns findings into their public type; never nil.
func (c Catalogue) Findings(fs []assess.Finding) []v1alpha1.Finding {
	out := make([]v1alpha1.Finding, 0, len(fs))
	for _, f := range fs {
		remedy, accept := c.Advise(f)
		out = append(out, v1alpha1.Finding{
			Code: f.Code, Severity: f.Severity.String(), Message: f.Message, Evidence: facts(f.Evidence),
			Subject: v1alpha1.Subject{Kind: f.Subject.Kind, Namespace: f.Subject.Namespace, Name: f.Subject.Name},
			Remedy:  remedy, Accept: accept,
		})
	}
	return out
}

// remedies writes what to do about the findings' codes, each once, in order,
// after what is said first; then which of them a flag accepts.
func (p *printer) remedies(c Catalogue, fs []assess.Finding, first ...string) {
	public := c.Findings(fs)
	for i := range fs {
		if fs[i].Subject == (assess.Subject{}) { // why a replica does not count, which is told with its volume
			public[i].Severity = assess.Note.String()
		}
	}
	p.section("What to do", append(slices.Clone(first), remedyLines(public)...))
}

// advise writes the same where nothing is refused, so that no flag is looked for.
func (p *printer) advise(c Catalogue, fs []assess.Finding) {
	p.section("What to do", byRemedy(c.Findings(fs)))
}

// remedyLines is what to do about findings: each remedy of each code once, with
// the flag that accepts it; and at the end that no flag accepts the rest.
func remedyLines(fs []v1alpha1.Finding) []string {
	lines := byRemedy(fs)
	accepted, refused := false, false
	for _, f := range fs {
		if f.Accept != "" {
			accepted = true
		} else if f.Severity != assess.Note.String() {
			refused = true
		}
	}
	switch {
	case refused && accepted:
		lines = append(lines, "No flag accepts the rest.")
	case refused:
		lines = append(lines, "No flag accepts this.")
	}
	return lines
}

func byRemedy(fs []v1alpha1.Finding) []string {
	var lines []string
	seen := map[[2]string]bool{}
	for i, f := range fs {
		what := [2]string{f.Code, f.Remedy}
		if f.Remedy == "" || seen[what] {
			continue
		}
		seen[what] = true
		lines = append(lines, f.Code+": "+f.Remedy+acceptable(fs[i:], f.Code))
	}
	return lines
}

// acceptable names the flag that accepts the findings of a code: that of the
// first where it is one of several.
func acceptable(fs []v1alpha1.Finding, code string) string {
	flags := map[string]bool{}
	first := ""
	for _, f := range fs {
		if f.Code == code && f.Accept != "" {
			first = or(first, f.Accept)
			flags[f.Accept] = true
		}
	}
	switch len(flags) {
	case 0:
		return ""
	case 1:
		return " " + first + " accepts it."
	default:
		return " " + first + " accepts the first; each is accepted by its name."
	}
}
