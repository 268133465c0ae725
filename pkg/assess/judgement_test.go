// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestDigest_AgreesWhereTwoLooksAgree(t *testing.T) {
	world := func() *lab { return newLab().detached("a", "w1", "w2").attached("data", "w2", "w3", "w1") }
	digest := func(bend func(*lab)) string {
		l := world()
		if bend != nil {
			bend(l)
		}
		return l.judge().Digest()
	}
	first := digest(nil)
	if len(first) < 12 {
		t.Fatalf("digest %q is too short to tell looks apart", first)
	}
	for what, bend := range map[string]func(*lab){
		"leases were renewed":        func(l *lab) { l.node("w1").LeaseRenewed = now() },
		"a report is newer":          func(l *lab) { l.st().Reported, l.sn("w1").Reported = now(), now() },
		"a proof became a plausible": func(l *lab) { l.v("data").State = cluster.Detached; bendAll(l, cluster.Idle) },
		"the order of replicas":      func(l *lab) { rs := l.v("data").Replicas; rs[0], rs[1] = rs[1], rs[0] },
		"the order of volumes":       func(l *lab) { vs := l.st().Volumes; vs[0], vs[1] = vs[1], vs[0] },
		"a cordon":                   func(l *lab) { l.node("w1").Cordoned = true },
		"an empty object that is left": func(l *lab) {
			l.v("a").Replicas = append(l.v("a").Replicas, cluster.Replica{Claim: cluster.Placeholder})
		},
	} {
		if digest(bend) != first {
			t.Errorf("the digest changed although nothing did but that %s", what)
		}
	}
	for what, bend := range map[string]func(*lab){
		"a replica is another one":     func(l *lab) { l.r(0).UID = "other" },
		"a replica failed":             func(l *lab) { l.r(0).Claim = cluster.Failed },
		"a replica moved":              func(l *lab) { l.v("data").Want = 2; l.v("data").Replicas = l.v("data").Replicas[:2] },
		"a disk is another one":        func(l *lab) { l.disk("w1").UUID = "x"; l.v("a").Replicas[0].DiskUUID = "x"; l.r(2).DiskUUID = "x" },
		"a volume is another one":      func(l *lab) { l.v("data").UID = "other" },
		"a volume came":                func(l *lab) { l.detached("b", "w1", "w2") },
		"a volume is busy":             func(l *lab) { l.v("data").Busy = []string{"x"} },
		"a node is another one":        func(l *lab) { l.node("control").Ref.UID = "other" },
		"a node is not live":           func(l *lab) { l.node("control").Ready = cluster.No },
		"a setting has another value":  func(l *lab) { l.st().Settings[0].Value = "lax" },
		"a setting has another name":   func(l *lab) { l.st().Settings[0].Name = "x" },
		"a setting is gone":            func(l *lab) { l.st().Settings = nil },
		"a volume lost its last look":  func(l *lab) { l.v("a").State = cluster.Deleting },
		"a replica lies on other node": func(l *lab) { *l.r(2) = replicaOf("data", "w3"); l.r(2).UID = "r-data-w1" },
	} {
		if digest(bend) == first {
			t.Errorf("the digest is the same although %s", what)
		}
	}
}

func bendAll(l *lab, c cluster.Claim) {
	for i := range l.v("data").Replicas {
		l.r(i).Claim = c
	}
}

func TestCodes_AreDocumentedOnceAndAllOfThemAreSaid(t *testing.T) {
	documented := map[string]bool{}
	for _, c := range Codes() {
		if documented[c.Code] {
			t.Errorf("%s is documented twice", c.Code)
		}
		documented[c.Code] = true
		area, words, ok := strings.Cut(c.Code, "/")
		if !ok || area == "" || words == "" || strings.ToLower(c.Code) != c.Code || strings.ContainsAny(c.Code, " _") {
			t.Errorf("%q is not area/words-with-dashes", c.Code)
		}
		if !strings.HasSuffix(c.Means, ".") || !strings.HasSuffix(c.Remedy, ".") {
			t.Errorf("%s: means %q, remedy %q", c.Code, c.Means, c.Remedy)
		}
	}
	said := map[string]bool{}
	for _, f := range everyFinding() {
		said[f.Code] = true
		if !documented[f.Code] && !strings.HasPrefix(f.Code, "odd/") {
			t.Errorf("%s is said and not documented", f.Code)
		}
		if !strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "%") || strings.Contains(f.Message, "..") {
			t.Errorf("%s: %q is no sentence", f.Code, f.Message)
		}
		if f.Subject.Kind == "" {
			t.Errorf("%s has no subject", f.Code)
		}
	}
	said[ReplicaPlaceholder], said[ReplicaUnused] = true, true // standings that need no finding
	for code := range documented {
		if !said[code] {
			t.Errorf("%s is documented, and no case of the tables makes anybody say it", code)
		}
	}
}

// everyFinding collects what all the tables make the package say.
func everyFinding() []Finding {
	var out []Finding
	all := func(l *lab) {
		out = append(out, l.judge().Findings...)
	}
	for _, c := range replicaCases() {
		all(c.lab())
	}
	for _, c := range volumeCases() {
		all(c.lab())
	}
	for _, c := range inputCases() {
		all(c.lab())
	}
	for _, c := range drainCases() {
		out = append(out, c.drain().Findings...)
	}
	for _, c := range deleteCases() {
		out = append(out, c.ask().Findings...)
	}
	for _, c := range podCases() {
		out = append(out, c.set().Blocked...)
	}
	l := atRest2()
	l.r(1).Name = l.r(0).Name
	gap(cluster.Gap{Kind: "pods/exec", Detail: "nobody may look"})(l)
	all(l)
	l = atRest3()
	*l.r(2) = replicaOf("data", "w1")
	l.r(2).Name = "twin"
	all(l)
	l = atRest3()
	l.node("control").Zone, l.node("w1").Zone, l.node("w2").Zone, l.node("w3").Zone = "b", "a", "a", "a"
	all(l)
	return out
}

func TestJudge_TheSameFactsGiveTheSameBytes(t *testing.T) {
	var worlds []*lab
	for _, c := range replicaCases() {
		worlds = append(worlds, c.lab())
	}
	for _, c := range volumeCases() {
		worlds = append(worlds, c.lab())
	}
	for i, l := range worlds {
		before := bytesOf(t, l.s)
		first := bytesOf(t, l.judge())
		for range 3 {
			if again := bytesOf(t, l.judge()); again != first {
				t.Fatalf("world %d: %s\n%s", i, first, again)
			}
		}
		if bytesOf(t, l.s) != before {
			t.Fatalf("world %d: judging changed the facts", i)
		}
	}
}

func bytesOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCondition_HasAWordForEveryValue(t *testing.T) {
	seen := map[string]bool{}
	for c := ConditionUnknown; c <= Going; c++ {
		if seen[c.String()] {
			t.Errorf("%d is called %s as well", c, c)
		}
		seen[c.String()] = true
	}
	if Condition(200).String() != "Unknown" {
		t.Errorf("a condition that is no word is called %s", Condition(200))
	}
	if Note.String() != "Note" || Unclear.String() != "Unknown" || Danger.String() != "Unsafe" {
		t.Error("severities do not read as the verdicts that they lead to")
	}
}

// large is a cluster with that many volumes of three replicas.
func large(volumes int) *lab {
	l := newLab()
	nodes := []string{"w1", "w2", "w3"}
	for i := range 97 {
		name := fmt.Sprintf("n%d", i)
		l.s.Nodes = append(l.s.Nodes, cluster.Node{Ref: cluster.NodeRef{Name: name, UID: cluster.UID(name)},
			Created: ago(1000 * time.Hour), Ready: cluster.Yes, LeaseRenewed: now()})
		l.st().Nodes = append(l.st().Nodes, cluster.StorageNode{Name: name, Ready: cluster.Yes, Disks: []cluster.Disk{
			{UUID: "disk-" + name, Path: "/data", Declared: true, Reported: true, Ready: cluster.Yes}}})
		nodes = append(nodes, name)
	}
	slices.Sort(nodes)
	for i := range volumes {
		l.detached(fmt.Sprintf("v%d", i), nodes[i%100], nodes[(i+7)%100], nodes[(i+31)%100])
	}
	return l
}

func BenchmarkJudge(b *testing.B) {
	l := large(10000)
	b.ReportAllocs()
	for b.Loop() {
		if j := l.judge(); j.Verdict != cluster.Safe {
			b.Fatal(say(j.Findings[:1]))
		}
	}
}

func BenchmarkMayDelete(b *testing.B) {
	l := large(10000)
	j := l.judge()
	for b.Loop() {
		j.MayDelete(asked(l), Turn{})
	}
}
