// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// recordedStep is what a running Longhorn had written at one step of a
// scenario, and which replicas' bytes really were on which machine then. No
// client can see the latter.
type recordedStep struct {
	*corpusCase
	// dirs holds, by "node directory", the hash of what is in it.
	dirs map[string]string
}

// recordedSteps reads every step of every recording, in order, by scenario.
func recordedSteps(t testing.TB) map[string][]*recordedStep {
	t.Helper()
	files, err := filepath.Glob("testdata/recordings/*.txtar.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	out := map[string][]*recordedStep{}
	for _, file := range files {
		scenario := strings.TrimSuffix(filepath.Base(file), ".txtar.gz")
		out[scenario] = readRecording(t, scenario, file)
	}
	return out
}

func readRecording(t testing.TB, scenario, file string) []*recordedStep {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var out []*recordedStep
	for _, section := range txtar.Parse(text).Files {
		step, what := path.Split(section.Name)
		if what == "objects.json" {
			s := &recordedStep{corpusCase: &corpusCase{name: scenario + "/" + path.Clean(step), objects: newDump()}, dirs: map[string]string{}}
			for _, list := range strings.Split(strings.TrimSpace(string(section.Data)), "\n") {
				if err := s.objects.merge([]byte(list)); err != nil {
					t.Fatal(err)
				}
			}
			// Where the bench ran Longhorn's managers without pods, its empty list
			// of them tells nothing.
			if pods := s.objects.lists[kindKey{"v1", "Pod"}]; pods != nil && len(pods) == 0 {
				if err := s.objects.remove([]string{"v1 PodList"}); err != nil {
					t.Fatal(err)
				}
			}
			out = append(out, s)
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(string(section.Data)), "\n") {
			if parts := strings.Fields(line); len(parts) > 2 { // the hash comes last
				out[len(out)-1].dirs[parts[0]+" "+parts[1]] = parts[len(parts)-1]
			}
		}
	}
	return out
}

// truth is, by volume, how many of its replicas truly hold its data: the
// storage has not marked them, and the directory that they name is on the
// machine that they name, with the bytes that the volume had at first. One
// whose process died misses what is written from then on.
func (s *recordedStep) truth(contents map[string]string) map[string]int {
	out := map[string]int{}
	for _, v := range s.objects.volumes() {
		out[word(v, "metadata", "name")] = 0
	}
	for _, r := range s.objects.replicas() {
		volume := word(r, "spec", "volumeName")
		hash, there := s.dirs[word(r, "spec", "nodeID")+" "+word(r, "spec", "dataDirectoryName")]
		if there && hash == contents[volume] && marked(r) && word(r, "status", "currentState") != "error" {
			out[volume]++
		}
	}
	return out
}

// contents is, by volume, the hash that its replicas had when it was first seen.
func contents(steps []*recordedStep) map[string]string {
	out := map[string]string{}
	for _, s := range steps {
		seen := maps.Clone(out)
		for _, r := range s.objects.replicas() {
			volume := word(r, "spec", "volumeName")
			if hash := s.dirs[word(r, "spec", "nodeID")+" "+word(r, "spec", "dataDirectoryName")]; hash != "" && seen[volume] == "" {
				out[volume] = hash
			}
		}
	}
	return out
}

// whole reports whether every volume truly has as many replicas as it wants.
func (s *recordedStep) whole(truth map[string]int) bool {
	return every(s.objects.volumes(), func(v map[string]any) bool {
		return truth[word(v, "metadata", "name")] >= wanted(v)
	})
}

// TestRecordings_VerifyNeverSaysMoreThanTheTruth holds verify against every
// step that was recorded from a running Longhorn: Safe exactly where every
// volume is whole, and of no volume more good replicas than it truly has.
func TestRecordings_VerifyNeverSaysMoreThanTheTruth(t *testing.T) {
	steps, whole := 0, 0
	recordings := recordedSteps(t)
	for _, scenario := range slices.Sorted(maps.Keys(recordings)) {
		content := contents(recordings[scenario])
		for _, s := range recordings[scenario] {
			truth := s.truth(content)
			steps++
			if s.whole(truth) {
				whole++
			}
			t.Run(s.name, func(t *testing.T) { s.compare(t, truth) })
		}
	}
	t.Logf("%d steps, %d of them whole", steps, whole)
	if steps < 38 || whole < 16 {
		t.Errorf("%d steps, %d of them whole: recordings are missing", steps, whole)
	}
}

func (s *recordedStep) compare(t *testing.T, truth map[string]int) {
	v := s.verification(t)
	if safe := v.Verdict == "Safe"; safe != s.whole(truth) {
		t.Errorf("verdict %s, every volume whole: %v", v.Verdict, s.whole(truth))
	}
	if len(v.Volumes) != len(truth) {
		t.Errorf("%d volumes are judged, there are %d", len(v.Volumes), len(truth))
	}
	for _, x := range v.Volumes {
		if x.Good > truth[x.Name] {
			t.Errorf("volume %s is said to have %d good replicas, and has %d", x.Name, x.Good, truth[x.Name])
		}
	}
	t.Logf("%s: %s, %s", s.name, v.Verdict, counts(v, truth))
}

// counts lists the volumes of which fewer replicas are said to be good than
// truly are: what cannot be told from objects, or is on its way.
func counts(v verification, truth map[string]int) string {
	var out []string
	for _, x := range v.Volumes {
		if x.Good < truth[x.Name] {
			out = append(out, fmt.Sprintf("%s %d of truly %d", x.Name, x.Good, truth[x.Name]))
		}
	}
	if out == nil {
		return "every count is the truth"
	}
	return strings.Join(out, ", ")
}
