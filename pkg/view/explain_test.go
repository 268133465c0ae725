// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// explained is a volume with a replica on each of three live nodes, into whose
// directories somebody has looked, and found that.
func explained(seen ...cluster.Seen) Explained {
	ago := func(d time.Duration) time.Time { return at().Add(-d) }
	st := cluster.Storage{Driver: "block.example.org", Reported: ago(time.Minute)}
	s := &cluster.Snapshot{Source: cluster.SourceLive, Look: cluster.Look{Ended: at(), Fresh: true}}
	v := cluster.Volume{
		Name: "vol", UID: "v", Handle: "vol", Class: cluster.ClassOrdinary, Want: len(seen), Need: 1, State: cluster.Detached, SharesNode: cluster.No,
		Size: 20 << 30, Used: 3 << 29, Touched: true,
		Engine: cluster.Engine{Present: cluster.Yes, Name: "vol-e", Running: cluster.No, Ever: cluster.Yes},
	}
	for i, x := range seen {
		name := "worker-" + string(rune('1'+i))
		ref := cluster.NodeRef{Name: name, UID: cluster.UID("uid-" + name)}
		s.Nodes = append(s.Nodes, cluster.Node{Ref: ref, Created: ago(1000 * time.Hour), Ready: cluster.Yes, LeaseRenewed: ago(time.Second)})
		st.Nodes = append(st.Nodes, cluster.StorageNode{Name: name, Ready: cluster.Yes, Reported: ago(time.Minute), Disks: []cluster.Disk{
			{Name: "d", UUID: "disk-" + name, Path: "/data", Declared: true, Reported: true, Ready: cluster.Yes}}})
		v.Replicas = append(v.Replicas, cluster.Replica{
			Name: "vol-r-" + name, UID: cluster.UID("r-" + name), Claim: cluster.Idle, Node: name, Owner: name,
			DiskUUID: "disk-" + name, DiskPath: "/data", Directory: "vol-" + name, HealthyAt: ago(100 * time.Hour),
			Probe: &cluster.Probe{Seen: x, At: ago(3 * time.Second), Node: ref, Facts: []cluster.Fact{{Name: "directory", Value: "replicas/vol-" + name}}},
		})
	}
	st.Volumes = []cluster.Volume{v}
	s.Storages = []cluster.Storage{st}
	s.Persistent = []cluster.PersistentVolume{{Name: "pv", Driver: st.Driver, Handle: "vol", ClaimNamespace: "users", ClaimName: "bob", Bound: true}}
	j := assess.Judge(s, policy.Default(), at())
	c := Catalogue{}
	for _, d := range assess.Codes() {
		c[d.Code] = Doc{Code: d.Code, Means: d.Means, Remedy: d.Remedy}
	}
	c.Guide(assess.ReplicaDataMissing, []string{"Remove REPLICA on NODE."}, []string{"Do not attach VOLUME of CLAIM in NAMESPACE."}, []string{"the book"})
	c.Guide("no/such-code", []string{"Nobody reads this."}, nil, nil)
	return Explained{Judgement: j, Volume: j.Volume("vol"), Catalogue: c}
}

func TestExplained_TellsWhatWasSeenInTheDirectories(t *testing.T) {
	var b bytes.Buffer
	e := explained(cluster.SeenData, cluster.SeenNothing, cluster.SeenNoAnswer)
	if err := e.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "explain-seen.txt", b.Bytes())
	b.Reset()
	if err := e.Text(&b, Style{Width: 72}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := visible(strings.TrimRight(line, "\n")); n > 72 && len(strings.Fields(line)) > 3 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestExplained_OfALostVolumeNothingIsToBeRemoved: what would be done about each
// replica must not be done about the last ones.
func TestExplained_OfALostVolumeNothingIsToBeRemoved(t *testing.T) {
	x := explained(cluster.SeenNothing, cluster.SeenNothing).Explanation()
	for _, s := range x.Do {
		if strings.HasPrefix(s, "Remove ") || strings.HasPrefix(s, assess.ReplicaDataMissing) {
			t.Errorf("of a lost volume it says: %s", s)
		}
	}
	if x.Volume.Condition != "Lost" || !strings.HasPrefix(x.Do[0], assess.VolumeWouldBeFormatted) || !strings.HasPrefix(x.Do[1], assess.VolumeDataLost) || len(x.DoNot) == 0 {
		t.Errorf("%s: do %q, do not %q", x.Volume.Condition, x.Do, x.DoNot)
	}
}

// TestExplained_ShowsTheDirectoriesThatNoReplicaNames: it may be the last copy.
func TestExplained_ShowsTheDirectoriesThatNoReplicaNames(t *testing.T) {
	e := explained(cluster.SeenData)
	st := &e.Judgement.Snapshot.Storages[0]
	st.Orphans = []cluster.Orphan{
		{Name: "o-1", Node: "worker-2", DiskUUID: "disk-2", Directory: "vol-old", Volume: "vol"},
		{Name: "o-2", Node: "worker-2", Directory: "other-old", Volume: "other"},
	}
	var b bytes.Buffer
	if err := e.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	const want = "└─ orphan o-1: directory vol-old on worker-2, disk disk-2, which no replica names: it may hold the data\n"
	if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "other-old") {
		t.Errorf("%s", b.String())
	}
}

func TestExplained_NamesWhatARemedyIsAbout(t *testing.T) {
	x := explained(cluster.SeenData, cluster.SeenNothing, cluster.SeenNothing).Explanation()
	all := strings.Join(append(append([]string{}, x.Do...), x.DoNot...), "\n")
	for _, want := range []string{"Remove vol-r-worker-2 on worker-2.", "Remove vol-r-worker-3 on worker-3.", "Do not attach vol of bob in users."} {
		if strings.Count(all, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, all)
		}
	}
}

func TestExplained_AWholeVolumeNeedsNothing(t *testing.T) {
	x := explained(cluster.SeenData, cluster.SeenData).Explanation()
	if x.Volume.Condition != "Whole" || len(x.Do) != 1 || x.Do[0] != "Nothing must be done." || len(x.DoNot) != 0 {
		t.Errorf("%s: do %q, do not %q", x.Volume.Condition, x.Do, x.DoNot)
	}
	raw, err := json.Marshal(x)
	if err != nil || bytes.Contains(raw, []byte("null")) {
		t.Errorf("a list is null (%v): %s", err, raw)
	}
}
