// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func look(t *testing.T, c *Cluster) *cluster.Snapshot {
	t.Helper()
	s, err := c.Observe(t.Context(), cluster.Fresh)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// gapOf returns the gap of the kind, or nil.
func gapOf(s *cluster.Snapshot, kind string) *cluster.Gap {
	for i := range s.Gaps {
		if s.Gaps[i].Kind == kind {
			return &s.Gaps[i]
		}
	}
	return nil
}

func TestObserve_FreshReadsEveryPageOfEveryKindConsistently(t *testing.T) {
	a := newAPI(t)
	for i := range 5 {
		a.put("/apis/box.example/v1/boxes", boxObject(fmt.Sprintf("b%d", i), 2))
		a.put("/api/v1/nodes", nodeObject(fmt.Sprintf("n%d", i), "True", ""))
	}
	before := time.Now()
	s := look(t, observed(t, a))
	if len(s.Nodes) != 5 || len(s.Storages) != 1 || len(s.Storages[0].Volumes) != 5 {
		t.Fatalf("%d nodes and storages %+v, want 5 of each", len(s.Nodes), s.Storages)
	}
	if len(s.Gaps) != 0 {
		t.Errorf("gaps %+v, want none", s.Gaps)
	}
	if s.Source != cluster.SourceLive || !s.Look.Fresh || s.Look.Began.Before(before) || s.Look.Ended.Before(s.Look.Began) {
		t.Errorf("look %+v of source %d is not a fresh one", s.Look, s.Source)
	}
	if n := a.count("resourceVersion"); n != 0 {
		t.Errorf("%d requests named a resourceVersion: such a read may be old", n)
	}
	if n := a.count("/boxes"); n != 3 {
		t.Errorf("5 boxes in pages of 2 took %d requests, want 3", n)
	}
	for _, p := range paths() {
		if a.count(p+"?limit=2") == 0 {
			t.Errorf("%s was not asked for in pages", p)
		}
	}
}

func TestObserve_WhatIsForbiddenIsAGapWithTheServersWords(t *testing.T) {
	for kind, want := range map[string]struct {
		path          string
		needed, drain bool
	}{
		"nodes":                            {"/api/v1/nodes", true, false},
		"pods":                             {"/api/v1/pods", false, true},
		"volumeattachments.storage.k8s.io": {"/apis/storage.k8s.io/v1/volumeattachments", false, true},
		"boxes.box.example":                {"/apis/box.example/v1/boxes", true, false},
		"leases.coordination.k8s.io":       {"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", false, false},
		"poddisruptionbudgets.policy":      {"/apis/policy/v1/poddisruptionbudgets", false, true},
		"persistentvolumes":                {"/api/v1/persistentvolumes", true, false},
		"daemonsets.apps":                  {"/apis/apps/v1/daemonsets", false, false},
	} {
		a := newAPI(t)
		a.hook(want.path, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "thou shalt not list "+kind) })
		s := look(t, observed(t, a))
		g := gapOf(s, kind)
		if g == nil || len(s.Gaps) != 1 {
			t.Errorf("%s: gaps %+v, want one", kind, s.Gaps)
			continue
		}
		if g.Reason != cluster.GapForbidden || g.Detail != "thou shalt not list "+kind || g.Needed != want.needed || g.ForDrain != want.drain {
			t.Errorf("%s: gap %+v, want %+v", kind, g, want)
		}
	}
}

func TestObserve_AMissingKindIsAGapUnlessTheStorageCanDoWithout(t *testing.T) {
	a := newAPI(t)
	a.remove("/apis/box.example/v1/lids")
	if s := look(t, observed(t, a)); len(s.Gaps) != 0 {
		t.Errorf("gaps %+v for a helpful kind that the server does not know, want none", s.Gaps)
	}
	a.remove("/apis/box.example/v1/boxes")
	s := look(t, observed(t, a))
	if g := gapOf(s, "boxes.box.example"); len(s.Gaps) != 1 || g == nil || g.Reason != cluster.GapMissing || !g.Needed {
		t.Errorf("gaps %+v of a storage that is not installed, want the needed kind's", s.Gaps)
	}
	a.remove("/apis/policy/v1/poddisruptionbudgets")
	if g := gapOf(look(t, observed(t, a)), "poddisruptionbudgets.policy"); g == nil || g.Reason != cluster.GapMissing {
		t.Errorf("a kind of Kubernetes that is missing left the gap %+v", g)
	}
}

func TestObserve_AnExpiredListIsBegunAnewAndKeepsNothingThatIsGone(t *testing.T) {
	for _, path := range []string{"/apis/box.example/v1/boxes", "/api/v1/nodes"} {
		a := newAPI(t)
		first := true
		object := func(name string) string {
			if strings.HasSuffix(path, "nodes") {
				return nodeObject(name, "True", "")
			}
			return boxObject(name, 1)
		}
		a.hook(path, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case first && r.URL.Query().Get("continue") == "":
				a.list(w, r, []string{object("gone"), object("a"), object("b")})
			case first:
				first = false
				refuse(w, 410, "the provided continue parameter is too old")
			default:
				a.list(w, r, []string{object("a"), object("b"), object("c")})
			}
		})
		s := look(t, observed(t, a))
		var names []string
		for _, n := range s.Nodes {
			names = append(names, n.Ref.Name)
		}
		for _, v := range s.Storages[0].Volumes {
			names = append(names, v.Name)
		}
		if got := strings.Join(names, " "); got != "a b c" || len(s.Gaps) != 0 {
			t.Errorf("%s: read %q with gaps %+v, want a b c", path, got, s.Gaps)
		}
	}
}

func TestObserve_AListThatExpiresAgainAndAgainIsAGap(t *testing.T) {
	a := newAPI(t)
	a.hook("/api/v1/nodes", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") != "" {
			refuse(w, 410, "too old")
			return
		}
		a.list(w, r, []string{nodeObject("a", "True", ""), nodeObject("b", "True", ""), nodeObject("c", "True", "")})
	})
	g := gapOf(look(t, observed(t, a)), "nodes")
	if g == nil || g.Reason != cluster.GapFailed || !g.Needed {
		t.Errorf("gap %+v, want one that says that the list expired", g)
	}
	if n := a.count("/api/v1/nodes"); n != 2*restarts {
		t.Errorf("%d requests, want %d: the restarts have a limit", n, 2*restarts)
	}
}

func TestObserve_ABrokenAnswerIsAGap(t *testing.T) {
	whole := `{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[` + nodeObject("a", "True", "") + `]}`
	for name, c := range map[string]struct {
		body string
		want cluster.GapReason
	}{
		"cut off in an item":      {whole[:80], cluster.GapTruncated},
		"cut off after the items": {whole[:len(whole)-1], cluster.GapTruncated},
		"nothing":                 {"", cluster.GapTruncated},
		"a page of a proxy":       {"<html>please log in</html>", cluster.GapFailed},
		"an object":               {nodeObject("a", "True", ""), cluster.GapFailed},
		"items that are no list":  {`{"items":{"a":1}}`, cluster.GapFailed},
		"items twice":             {whole[:len(whole)-1] + `,"items":[]}`, cluster.GapFailed},
		"two versions":            {whole[:len(whole)-1] + `,"metadata":{"resourceVersion":"2"}}`, cluster.GapFailed},
		"an item with two states": {strings.Replace(whole, `"status":`, `"status":{},"status":`, 1), cluster.GapMalformed},
		"another JSON":            {`[1,2]`, cluster.GapFailed},
		"an item of another kind": {`{"items":[` + boxObject("x", 1) + `]}`, cluster.GapMalformed},
		"an item without a name":  {`{"items":[{"metadata":{"uid":"1"}}]}`, cluster.GapMalformed},
	} {
		a := newAPI(t)
		a.hook("/api/v1/nodes", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.body)) })
		g := gapOf(look(t, observed(t, a)), "nodes")
		if g == nil || g.Reason != c.want || !g.Needed {
			t.Errorf("%s: gap %+v, want reason %d", name, g, c.want)
		}
	}
}

func TestObserve_OneBadObjectDoesNotHideTheOthers(t *testing.T) {
	a := newAPI(t)
	a.put("/apis/box.example/v1/boxes", boxObject("a", 1), `{"metadata":{"name":"b","uid":"b"},"copies":"many"}`, boxObject("c", 1))
	s := look(t, observed(t, a))
	if n := len(s.Storages[0].Volumes); n != 2 {
		t.Errorf("%d volumes, want the two that can be read", n)
	}
	if g := gapOf(s, "boxes.box.example"); g == nil || g.Reason != cluster.GapMalformed || !strings.Contains(g.Detail, "1 objects") {
		t.Errorf("gap %+v, want one malformed object", g)
	}
}

func TestObserve_AServerThatIsNotThereIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := NewCluster(Config{REST: &rest.Config{Host: host}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []cluster.Freshness{cluster.Cached, cluster.Fresh} {
		if s, err := c.Observe(t.Context(), f); err == nil {
			t.Errorf("a snapshot %+v of a server that is not there", s)
		}
	}
}

func TestObserve_AServerThatHangsIsAnErrorThatNamesTheLimit(t *testing.T) {
	a := newAPI(t)
	for _, p := range paths() {
		a.hook(p, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
	c := observed(t, a, func(c *Config) { c.RequestLimit = 100 * time.Millisecond })
	if _, err := c.Observe(t.Context(), cluster.Fresh); err == nil || !strings.Contains(err.Error(), "request limit of 100ms") {
		t.Errorf("error %v, want the request limit's name", err)
	}
	c = observed(t, a, func(c *Config) { c.LookLimit = 100 * time.Millisecond })
	if _, err := c.Observe(t.Context(), cluster.Fresh); err == nil || !strings.Contains(err.Error(), "look limit of 100ms") {
		t.Errorf("error %v, want the look limit's name", err)
	}
}

func TestObserve_AKindThatHangsIsAGapWhileOthersAnswer(t *testing.T) {
	a := newAPI(t)
	a.hook("/api/v1/pods", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := look(t, observed(t, a, func(c *Config) { c.RequestLimit = 200 * time.Millisecond }))
	if g := gapOf(s, "pods"); g == nil || g.Reason != cluster.GapFailed || !strings.Contains(g.Detail, "request limit") {
		t.Errorf("gap %+v, want one that names the limit", g)
	}
}

func TestObserve_CredentialsThatAreRefusedAreAnError(t *testing.T) {
	a := newAPI(t)
	for _, p := range paths() {
		a.hook(p, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "Unauthorized") })
	}
	if _, err := observed(t, a).Observe(t.Context(), cluster.Fresh); err == nil || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("error %v, want one about credentials", err)
	}
}

func TestObserve_EndsWithItsContext(t *testing.T) {
	a := newAPI(t)
	for _, p := range paths() {
		a.hook(p, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := observed(t, a).Observe(ctx, cluster.Fresh); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}

func TestObserve_ANamespaceRestrictsTheStorageAlone(t *testing.T) {
	a := newAPI(t)
	a.put("/apis/box.example/v1/namespaces/here/boxes", boxObject("a", 1))
	a.put("/apis/box.example/v1/boxes", boxObject("elsewhere", 1))
	a.put("/api/v1/nodes", nodeObject("n", "True", ""))
	s := look(t, observed(t, a, func(c *Config) { c.StorageNamespace = "here" }))
	if len(s.Nodes) != 1 || len(s.Storages[0].Volumes) != 1 || s.Storages[0].Volumes[0].Name != "a" {
		t.Errorf("nodes %v, volumes %+v, want n and a", s.Nodes, s.Storages[0].Volumes)
	}
}

func TestObserve_TheServersClockIsMeasured(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
		a := newAPI(t)
		for _, p := range paths() {
			a.hook(p, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
				a.list(w, r, nil)
			})
		}
		skew := look(t, observed(t, a)).Look.Skew
		if diff := (skew - ahead).Abs(); diff > time.Second || ahead == 0 && skew != 0 {
			t.Errorf("a clock %s ahead was measured as %s", ahead, skew)
		}
	}
}

func TestNewCluster_NeedsACluster(t *testing.T) {
	if _, err := NewCluster(Config{}); err == nil {
		t.Error("a Cluster of nothing")
	}
}

// Where reading takes longer than leases hold, every node would look dead by the
// end of it.
func TestObserve_ASlowReadingEndsWithTheLeases(t *testing.T) {
	const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
	lease := func(renewed string) string {
		return fmt.Sprintf(`{"metadata":{"name":"n","namespace":"kube-node-lease","uid":"l"},"spec":{"renewTime":%q}}`, renewed)
	}
	a := newAPI(t)
	a.put("/api/v1/nodes", nodeObject("n", "True", ""))
	a.put(leases, lease("2026-01-01T10:00:00.000000Z"))
	a.hook("/apis/box.example/v1/lids", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		a.mu.Lock()
		a.objects[leases] = []string{lease("2026-01-01T10:01:00.000000Z")}
		a.mu.Unlock()
		a.list(w, r, nil)
	})
	c := observed(t, a)
	for slow, want := range map[time.Duration]int{time.Hour: 1, 10 * time.Millisecond: 2} {
		c.slow = slow
		before := a.count(leases)
		s := look(t, c)
		if n := a.count(leases) - before; n != want {
			t.Errorf("with %s: the leases were read %d times, want %d", slow, n, want)
		}
		if at := s.Nodes[0].LeaseRenewed; want == 2 && at.Minute() != 1 {
			t.Errorf("with %s: the lease was renewed at %s", slow, at)
		}
	}
}
