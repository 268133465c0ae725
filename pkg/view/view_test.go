// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, make update rewrites it):\n%s", name, diff)
	}
}

// at is the moment at which the fixtures were seen.
func at() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// world is three nodes and three volumes: one whole, one whose copy lay on a
// machine that was made again, and one that nobody ever used.
func world() *assess.Judgement {
	volumes := []cluster.Volume{
		{Name: "vol-whole", Want: 2, Need: 1, State: cluster.Detached, Replicas: []cluster.Replica{
			{Name: "vol-whole-a", Node: "worker-1", DiskUUID: "disk-1"},
			{Name: "vol-whole-b", Node: "worker-2", DiskUUID: "disk-2"},
		}},
		{Name: "vol-short", Want: 2, Need: 1, State: cluster.Detached, Replicas: []cluster.Replica{
			{Name: "vol-short-a", Node: "worker-1", DiskUUID: "disk-old"},
			{Name: "vol-short-b", Node: "worker-3", DiskUUID: "disk-3"},
		}},
		{Name: "vol-new", Want: 2, Need: 1, State: cluster.Detached},
	}
	short := assess.Finding{
		Code: "volume/degraded", Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: "vol-short"},
		Message:  "Volume vol-short (claim users/bob) is not whole: 1 of 2 replicas are good (vol-short-a on node worker-1: its node has other disks now).",
		Evidence: []cluster.Fact{{Name: "volume.want", Value: "2"}},
	}
	note := assess.Finding{
		Code: "input/no-leases", Subject: assess.Subject{Kind: "Kind", Name: "leases"},
		Message: "No node leases were given: whether a node is live is judged by its Ready condition alone.",
	}
	j := &assess.Judgement{
		Snapshot: &cluster.Snapshot{Source: cluster.SourceFiles}, Now: at(), Verdict: cluster.Unsafe,
		Findings: []assess.Finding{short, note},
	}
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		j.Nodes = append(j.Nodes, assess.NodeJudgement{
			Node: &cluster.Node{Ref: cluster.NodeRef{Name: name, UID: cluster.UID("uid-" + name)}}, Live: cluster.Yes,
		})
	}
	good := func(r *cluster.Replica) assess.ReplicaJudgement {
		return assess.ReplicaJudgement{Replica: r, Standing: cluster.StandingGood, Proof: cluster.Plausible}
	}
	j.Volumes = []assess.VolumeJudgement{
		{
			Volume: &volumes[0], ClaimNamespace: "users", ClaimName: "alice", Condition: assess.Whole, Good: 2,
			Replicas: []assess.ReplicaJudgement{good(&volumes[0].Replicas[0]), good(&volumes[0].Replicas[1])},
		},
		{
			Volume: &volumes[1], ClaimNamespace: "users", ClaimName: "bob", Condition: assess.Degraded, Good: 1,
			Replicas: []assess.ReplicaJudgement{{
				Replica: &volumes[1].Replicas[0], Standing: cluster.StandingAbsent, Code: "disk/other-uuid",
				Evidence: []cluster.Fact{{Name: "replica.disk", Value: "disk-old"}, {Name: "disk", Value: "disk-<new>"}},
			}, good(&volumes[1].Replicas[1])},
			Findings: []assess.Finding{short},
		},
		{Volume: &volumes[2], Condition: assess.Unused, Replicas: []assess.ReplicaJudgement{}},
	}
	return j
}

func docs() Catalogue {
	return Catalogued([]Doc{
		{Code: "volume/degraded", Means: "Fewer good replicas than configured.", Remedy: "Have it rebuilt."},
		{Code: "disk/other-uuid", Means: "The disk is another one.", Remedy: "Rebuild the volume from its other replicas."},
		{Code: "volume/last-copy", Means: "Its last copy is on the node.", Remedy: "Have it moved first."},
	})
}

func asked() Answer {
	last := assess.Finding{
		Code: "volume/last-copy", Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: "vol-short"},
		Message: "Volume vol-short has its last copy on node worker-3.",
	}
	return Answer{Judgement: world(), Catalogue: docs(), Nodes: []NodeAnswer{{
		Node:      cluster.NodeRef{Name: "worker-3", UID: "uid-worker-3"},
		MayDrain:  assess.Permit{Verdict: cluster.Unsafe, Findings: []assess.Finding{last}},
		MayDelete: assess.Permit{Verdict: cluster.Unsafe, Findings: []assess.Finding{last}},
	}}}
}

func TestAnswer_TextSaysVerdictReasonEvidenceRemedyAndWhatWasNotVerified(t *testing.T) {
	var b bytes.Buffer
	if err := asked().Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "unsafe.txt", b.Bytes())
}

func TestAnswer_WideShowsEveryVolume(t *testing.T) {
	var b bytes.Buffer
	if err := asked().Wide(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "wide.txt", b.Bytes())
}

func TestAnswer_TextBreaksBetweenWordsAtTheWidth(t *testing.T) {
	var b bytes.Buffer
	if err := asked().Text(&b, Style{Width: 60}); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b.Bytes()) {
		if words := bytes.Fields(line); len(line) > 61 && len(words) > 1 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}
