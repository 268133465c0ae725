// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// knownWrong lists the cases in which the tool does not yet say what the
// definition says, with what is wrong. A case on it that passes fails the
// test: it is taken off then.
func knownWrong() map[string]string {
	return map[string]string{}
}

// TestCorpus_VerifySaysWhatTheDefinitionSays runs every case through the
// command that people run. Its labels come from the definition of a whole
// volume, not from what the tool printed.
func TestCorpus_VerifySaysWhatTheDefinitionSays(t *testing.T) {
	wrong := knownWrong()
	for _, file := range corpusFiles(t) {
		c := loadCase(t, file)
		t.Run(c.name, func(t *testing.T) {
			faults := c.faults(t)
			why, listed := wrong[c.name]
			delete(wrong, c.name)
			switch {
			case listed && len(faults) == 0:
				t.Errorf("the case passes now: take it off the list of known wrong ones (%s)", why)
			case listed:
				t.Logf("known to be wrong: %s", why)
			default:
				for _, f := range faults {
					t.Error(f)
				}
			}
		})
	}
	for name := range wrong {
		t.Errorf("%s is listed as known to be wrong, and there is no such case", name)
	}
}

// TestCorpus_IsWide holds what the corpus has been promised to cover: enough
// cases, a third of them safe so that crying wolf is caught too, and every
// state in which Longhorn's objects look fine and are not.
func TestCorpus_IsWide(t *testing.T) {
	files := corpusFiles(t)
	safe := 0
	for _, file := range files {
		c := loadCase(t, file)
		if c.want.Verdict == "Safe" {
			safe++
		}
		if len(strings.TrimSpace(c.says)) < 20 {
			t.Errorf("%s does not say what it is and why", c.name)
		}
	}
	if len(files) < 120 || safe*3 < len(files) {
		t.Errorf("%d cases, %d of them safe: want 120, a third of them safe", len(files), safe)
	}
	for n := 1; n <= 36; n++ {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, fmt.Sprintf("/L%02d-", n)) }) {
			t.Errorf("no case for state L%d", n)
		}
	}
}

// run runs verify on the case's files and returns what it printed.
func (c *corpusCase) run(format string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	in := bytes.NewReader(append(c.objects.text(), c.raw...))
	args := append([]string{"verify", "-f", "-", "-o", format}, c.args...)
	code = cli.Run(context.Background(), cli.App{
		Streams: genericiooptions.IOStreams{In: in, Out: &stdout, ErrOut: &stderr},
		Program: "kubectl-safe_roll", Version: "v0.0.0-test", Storages: plugins.All(),
	}, args)
	return code, stdout.String(), stderr.String()
}

// faults lists in what the tool's answer differs from the right one.
func (c *corpusCase) faults(t *testing.T) []string {
	code, out, errs := c.run("json")
	if code != c.want.Exit {
		return []string{fmt.Sprintf("exit code %d, want %d\n%s%s", code, c.want.Exit, out, errs)}
	}
	if c.want.Exit == 1 {
		if c.want.Error == "" || !strings.Contains(errs, c.want.Error) {
			return []string{fmt.Sprintf("the error is %q, want %q", errs, c.want.Error)}
		}
		return nil
	}
	v := decoded(t, out)
	fs := c.differences(&v)
	textCode, text, _ := c.run("text")
	if textCode != code {
		fs = append(fs, fmt.Sprintf("exit code %d with -o text, %d with -o json", textCode, code))
	}
	for _, s := range c.want.Says {
		if !strings.Contains(text, s) {
			fs = append(fs, fmt.Sprintf("the text does not say %q:\n%s", s, text))
		}
	}
	return fs
}

// verification is the public answer of verify.
type verification = v1alpha1.Verification

func decoded(t testing.TB, out string) verification {
	t.Helper()
	var v verification
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return v
}

// verification runs verify for an answer that must not be an error.
func (c *corpusCase) verification(t testing.TB) verification {
	t.Helper()
	code, out, errs := c.run("json")
	if code == 1 {
		t.Fatalf("%s: %s", c.name, errs)
	}
	return decoded(t, out)
}

func (c *corpusCase) differences(v *verification) []string {
	var out []string
	if string(v.Verdict) != c.want.Verdict {
		out = append(out, fmt.Sprintf("verdict %s, want %s", v.Verdict, c.want.Verdict))
	}
	good := map[string]string{}
	for _, x := range v.Volumes {
		good[x.Name] = fmt.Sprintf("%d/%d", x.Good, x.Want)
	}
	for _, name := range slices.Sorted(maps.Keys(c.want.Good)) {
		if good[name] != c.want.Good[name] {
			out = append(out, fmt.Sprintf("volume %s has %s good replicas, want %s", name, good[name], c.want.Good[name]))
		}
	}
	said := map[string]bool{}
	for _, f := range v.Findings {
		said[f.Code] = true
	}
	for _, n := range v.Nodes {
		out = append(out, answered(n.Name, "drained", n.MayDrain, c.want.Drain)...)
		out = append(out, answered(n.Name, "deleted", n.MayDelete, c.want.Delete)...)
	}
	for _, code := range c.want.Findings {
		if !said[code] {
			out = append(out, fmt.Sprintf("%s is not said, but %v", code, slices.Sorted(maps.Keys(said))))
		}
	}
	return out
}

// answered compares the answer about a node with the right one, where the case
// has one.
func answered(node, deed string, got v1alpha1.Verdict, want map[string]string) []string {
	if w := want[node]; w != "" && w != string(got) {
		return []string{fmt.Sprintf("node %s may be %s: %s, want %s", node, deed, got, w)}
	}
	return nil
}
