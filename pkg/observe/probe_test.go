// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// shelves is the box storage with one replica on each node for every box, and a
// way to look at them. Its answers are what was seen, a word per replica.
type shelves struct {
	boxes
	nodes []string
	// lacks names a node where nobody can be asked.
	lacks string
	// claim is what is said of every replica; nil for Idle. Only those at rest are
	// looked at.
	claim *cluster.Claim
}

func (s shelves) claims() cluster.Claim {
	if s.claim == nil {
		return cluster.Idle
	}
	return *s.claim
}

func (s shelves) NewReader() plugin.Reader {
	return &shelfReader{boxReader: boxReader{boxes: map[cluster.UID]box{}}, shelves: s}
}

type shelfReader struct {
	boxReader
	shelves shelves
}

func (r *shelfReader) Storage() (cluster.Storage, []cluster.Gap) {
	st, gaps := r.boxReader.Storage()
	st.Namespace = "box-system"
	for i := range st.Volumes {
		v := &st.Volumes[i]
		for _, n := range r.shelves.nodes {
			v.Replicas = append(v.Replicas, cluster.Replica{Name: v.Name + "-" + n, UID: cluster.UID(v.Name + "-" + n),
				Node: n, Claim: r.shelves.claims(), Directory: fmt.Sprint(v.Want)})
		}
	}
	return st, gaps
}

func (s shelves) Probes(snap *cluster.Snapshot, st *cluster.Storage) []plugin.Probe {
	var out []plugin.Probe
	for i := range st.Volumes {
		for _, r := range st.Volumes[i].Replicas {
			if r.Claim != cluster.Idle {
				continue
			}
			p := plugin.Probe{Node: snap.Node(r.Node).Ref, Pod: cluster.PodRef{Namespace: "box-system", Name: "shelf-" + r.Node},
				Container: "shelf", Command: []string{"look", string(r.UID)}, Targets: []plugin.Target{{Replica: r.UID}}}
			if r.Node == s.lacks {
				p.Pod, p.Command, p.Lacks = cluster.PodRef{}, nil, "nobody is there"
			}
			out = append(out, p)
		}
	}
	return out
}

func (shelves) Read(_ *cluster.Snapshot, p plugin.Probe, out []byte) ([]plugin.Sight, error) {
	switch string(out) {
	case "full":
		return []plugin.Sight{{Replica: p.Targets[0].Replica, Seen: cluster.SeenData, Facts: []cluster.Fact{{Name: "shelf", Value: "full"}}}}, nil
	case "empty":
		return []plugin.Sight{{Replica: p.Targets[0].Replica, Seen: cluster.SeenNothing}}, nil
	}
	return nil, errors.New("mumbling")
}

// probing is a Cluster that looks into two boxes on each of the nodes n1 to n3;
// answers go by replica.
func probing(t *testing.T, answer execute, change ...func(*Config)) (*Cluster, *api) {
	t.Helper()
	a := newAPI(t)
	for _, n := range []string{"n1", "n2", "n3"} {
		a.put("/api/v1/nodes", nodeObject(n, "True", ""))
	}
	a.put("/apis/box.example/v1/boxes", boxObject("a", 2), boxObject("b", 2))
	c := observed(t, a, append([]func(*Config){func(cfg *Config) {
		cfg.Probe, cfg.Storages = true, []plugin.Storage{shelves{nodes: []string{"n1", "n2", "n3"}}}
	}}, change...)...)
	if answer != nil {
		c.execute = answer
	}
	return c, a
}

// seen is what was seen of every replica.
func seen(s *cluster.Snapshot) map[cluster.UID]*cluster.Probe {
	out := map[cluster.UID]*cluster.Probe{}
	for _, v := range s.Storages[0].Volumes {
		for _, r := range v.Replicas {
			out[r.UID] = r.Probe
		}
	}
	return out
}

func fresh(t *testing.T, c *Cluster) *cluster.Snapshot {
	t.Helper()
	s, err := c.Observe(t.Context(), cluster.Fresh)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProbe_AnswersBecomeFactsOfTheReplicas(t *testing.T) {
	began := time.Now().Add(-time.Second)
	c, _ := probing(t, func(_ context.Context, p plugin.Probe) ([]byte, error) {
		if p.Command[1] == "a-n2" {
			return []byte("empty"), nil
		}
		return []byte("full"), nil
	})
	s := fresh(t, c)
	for uid, p := range seen(s) {
		want := cluster.SeenData
		if uid == "a-n2" {
			want = cluster.SeenNothing
		}
		if p == nil || p.Seen != want || p.At.Before(began) || p.Node.UID != "u-"+cluster.UID(p.Node.Name) || !strings.HasSuffix(string(uid), p.Node.Name) {
			t.Errorf("%s: %+v, want %s", uid, p, want)
		}
	}
	if len(s.Gaps) != 0 {
		t.Errorf("gaps %+v", s.Gaps)
	}
	cached, err := c.Observe(t.Context(), cluster.Cached)
	if err != nil || seen(cached)["a-n2"] == nil || seen(cached)["a-n2"].Seen != cluster.SeenNothing {
		t.Errorf("what was seen is forgotten before the next reading: %+v, %v", seen(cached), err)
	}
}

// Nobody looks into what an engine serves, but what was missing before stays so.
func TestProbe_WhatWasMissingIsRememberedWhileItIsServed(t *testing.T) {
	claim, found := cluster.Idle, "empty"
	c, _ := probing(t, func(_ context.Context, p plugin.Probe) ([]byte, error) {
		if p.Command[1] == "a-n2" {
			return []byte(found), nil
		}
		return []byte("full"), nil
	}, func(cfg *Config) {
		cfg.Storages = []plugin.Storage{shelves{nodes: []string{"n1", "n2", "n3"}, claim: &claim}}
	})
	if p := seen(fresh(t, c))["a-n2"]; p == nil || p.Seen != cluster.SeenNothing {
		t.Fatalf("at rest: %+v", p)
	}
	claim = cluster.Serving
	for range 2 {
		for uid, p := range seen(fresh(t, c)) {
			if missing := uid == "a-n2"; missing != (p != nil) || missing && p.Seen != cluster.SeenRemade {
				t.Errorf("%s, served: %+v", uid, p)
			}
		}
	}
	claim, found = cluster.Idle, "full"
	for uid, p := range seen(fresh(t, c)) {
		if p == nil || (p.Seen == cluster.SeenRemade) != (uid == "a-n2") {
			t.Errorf("%s, at rest again: %+v", uid, p)
		}
	}
}

func TestProbe_NobodyLooksWhereItWasNotAskedFor(t *testing.T) {
	c, _ := probing(t, func(context.Context, plugin.Probe) ([]byte, error) {
		t.Error("a command was run")
		return nil, nil
	}, func(cfg *Config) { cfg.Probe = false })
	for uid, p := range seen(fresh(t, c)) {
		if p != nil {
			t.Errorf("%s: %+v", uid, p)
		}
	}
}

func TestProbe_ANodeThatDoesNotAnswerIsAskedOnceAndSaysNothing(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	c, _ := probing(t, func(ctx context.Context, p plugin.Probe) ([]byte, error) {
		mu.Lock()
		asked[p.Node.Name]++
		mu.Unlock()
		switch p.Node.Name {
		case "n1":
			<-ctx.Done() // a disk that hangs
			return nil, ctx.Err()
		case "n2":
			return []byte("who is there?"), nil
		}
		return []byte("full"), nil
	}, func(cfg *Config) { cfg.ProbeLimit = 50 * time.Millisecond })
	s := fresh(t, c)
	for uid, why := range map[cluster.UID]string{
		"a-n1": "no answer within the probe limit of 50ms", "b-n1": "no answer within", "a-n2": "mumbling", "b-n2": "mumbling",
	} {
		p := seen(s)[uid]
		if p == nil || p.Seen != cluster.SeenNoAnswer || len(p.Facts) != 1 || !strings.Contains(p.Facts[0].Value, why) {
			t.Errorf("%s: %+v, want no answer: %s", uid, p, why)
		}
	}
	if seen(s)["a-n3"].Seen != cluster.SeenData {
		t.Errorf("the node that answers: %+v", seen(s)["a-n3"])
	}
	if !maps.Equal(asked, map[string]int{"n1": 1, "n2": 1, "n3": 2}) {
		t.Errorf("asked %v", asked)
	}
	if len(s.Gaps) != 2 || s.Gaps[0].Kind != "pods/exec" || s.Gaps[0].Needed || !strings.Contains(s.Gaps[0].Detail, "node n1") {
		t.Errorf("gaps %+v, want one for each of the two nodes", s.Gaps)
	}
}

func TestProbe_TheWholeOfItEndsWithTheLookLimit(t *testing.T) {
	c, _ := probing(t, func(ctx context.Context, _ plugin.Probe) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, func(cfg *Config) { cfg.ProbeLimit, cfg.LookLimit = time.Hour, 2*time.Second })
	for uid, p := range seen(fresh(t, c)) {
		if p == nil || p.Seen != cluster.SeenNoAnswer || !strings.Contains(p.Facts[0].Value, "look limit of 2s") {
			t.Errorf("%s: %+v", uid, p)
		}
	}
}

func TestProbe_WhereNobodyCanBeAskedNobodyIs(t *testing.T) {
	c, _ := probing(t, func(context.Context, plugin.Probe) ([]byte, error) { return []byte("full"), nil }, func(cfg *Config) {
		cfg.Storages = []plugin.Storage{shelves{nodes: []string{"n1", "n2"}, lacks: "n2"}}
	})
	s := fresh(t, c)
	if p := seen(s)["a-n2"]; p == nil || p.Seen != cluster.SeenNoAnswer || p.Facts[0].Value != "nobody is there" {
		t.Errorf("%+v", p)
	}
	if p := seen(s)["a-n1"]; p.Seen != cluster.SeenData {
		t.Errorf("%+v", p)
	}
}

// TestProbe_AMissingRightIsOneGapThatNamesIt asks a server that refuses both
// ways of running a command.
func TestProbe_AMissingRightIsOneGapThatNamesIt(t *testing.T) {
	c, api := probing(t, nil, func(cfg *Config) { cfg.ProbeParallel = 1 })
	var mu sync.Mutex
	var asked []string
	for _, n := range []string{"n1", "n2", "n3"} {
		api.hooks["/api/v1/namespaces/box-system/pods/shelf-"+n+"/exec"] = func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked = append(asked, r.Method+" "+n+" "+strings.Join(r.URL.Query()["command"], " "))
			mu.Unlock()
			refuse(w, http.StatusForbidden, `pods "x" is forbidden: User "eve" cannot create resource "pods/exec"`)
		}
	}
	s := fresh(t, c)
	want := []string{"GET n1 look a-n1", "POST n1 look a-n1"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q: one refusal is enough", asked, want)
	}
	if len(s.Gaps) != 1 || s.Gaps[0].Reason != cluster.GapForbidden || !strings.Contains(s.Gaps[0].Detail, "the right to get and create pods/exec in namespace box-system") ||
		!strings.Contains(s.Gaps[0].Detail, "eve") {
		t.Errorf("gaps %+v", s.Gaps)
	}
	for uid, p := range seen(s) {
		if p == nil || p.Seen != cluster.SeenNoAnswer {
			t.Errorf("%s: %+v", uid, p)
		}
	}
}

func TestCapped_KeepsWhatFitsAndSaysThatThereWasMore(t *testing.T) {
	c := capped{limit: 5}
	for _, word := range []string{"abc", "def", "g"} {
		if n, err := c.Write([]byte(word)); n != len(word) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if c.String() != "abcde" || !c.over {
		t.Errorf("%q, over %t", c.String(), c.over)
	}
}
