// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// api speaks enough of the Kubernetes API: paged lists and watches of what is
// put into it, and whatever a hook answers instead.
type api struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	objects map[string][]string // by list path
	hooks   map[string]http.HandlerFunc
	watches map[string][]chan string
	asked   []string
	version int
}

// paths are the lists that a plain cluster with the box storage has.
func paths() []string {
	return []string{
		"/api/v1/nodes", "/api/v1/persistentvolumes", "/api/v1/pods",
		"/apis/policy/v1/poddisruptionbudgets", "/apis/storage.k8s.io/v1/volumeattachments",
		"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "/apis/apps/v1/daemonsets",
		"/apis/box.example/v1/boxes", "/apis/box.example/v1/lids",
	}
}

func newAPI(t *testing.T) *api {
	a := &api{t: t, objects: map[string][]string{}, hooks: map[string]http.HandlerFunc{}, watches: map[string][]chan string{}, version: 10}
	for _, p := range paths() {
		a.objects[p] = []string{}
	}
	a.Server = httptest.NewServer(a)
	t.Cleanup(func() {
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

func (a *api) put(path string, objects ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[path] = append(a.objects[path], objects...)
}

func (a *api) remove(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.objects, path)
}

func (a *api) hook(path string, h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hooks[path] = h
}

// count is how many requests there were whose line contains every part.
func (a *api) count(parts ...string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, line := range a.asked {
		has := true
		for _, p := range parts {
			has = has && strings.Contains(line, p)
		}
		if has {
			n++
		}
	}
	return n
}

// send sends an event to everybody who watches the path; it waits until there
// is somebody.
func (a *api) send(path, kind, object string) {
	a.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		a.mu.Lock()
		to := a.watches[path]
		a.mu.Unlock()
		if len(to) > 0 {
			for _, c := range to {
				c <- fmt.Sprintf(`{"type":%q,"object":%s}`, kind, object)
			}
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("nobody watches %s", path)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.URL.Path+"?"+r.URL.RawQuery)
	hook := a.hooks[r.URL.Path]
	objects, known := a.objects[r.URL.Path]
	a.mu.Unlock()
	switch {
	case hook != nil:
		hook(w, r)
	case !known:
		refuse(w, http.StatusNotFound, "the server could not find the requested resource")
	case r.URL.Query().Get("watch") != "":
		a.watch(w, r)
	default:
		a.list(w, r, objects)
	}
}

func (a *api) list(w http.ResponseWriter, r *http.Request, objects []string) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	to := min(len(objects), from+limit)
	next := ""
	if to < len(objects) {
		next = strconv.Itoa(to)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"kind":"AnyList","apiVersion":"v1","metadata":{"resourceVersion":"%d","continue":%q},"items":[%s]}`,
		a.version, next, strings.Join(objects[from:to], ","))
}

func (a *api) watch(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 16)
	a.mu.Lock()
	a.watches[r.URL.Path] = append(a.watches[r.URL.Path], events)
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			fmt.Fprintln(w, e)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// refuse answers with a Status, as an API server does.
func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message,
	})
}

// boxes is a storage of two kinds: boxes, which are needed, and lids.
type boxes struct{}

func (boxes) Driver() string           { return "box.example" }
func (boxes) DefaultNamespace() string { return "box-system" }
func (boxes) NewReader() plugin.Reader { return &boxReader{boxes: map[cluster.UID]box{}} }
func (boxes) Codes() []plugin.CodeDoc  { return nil }
func (boxes) Kinds() []plugin.Kind {
	return []plugin.Kind{
		{Group: "box.example", Version: "v1", Resource: "boxes", Name: "Box", Need: plugin.Needed, Decides: true},
		{Group: "box.example", Version: "v1", Resource: "lids", Name: "Lid"},
	}
}

func (boxes) Connect(cfg *rest.Config) (rest.Interface, error) {
	cfg.APIPath = "/apis"
	cfg.GroupVersion = &schema.GroupVersion{Group: "box.example", Version: "v1"}
	cfg.NegotiatedSerializer = statusCodec()
	return rest.RESTClientFor(cfg)
}

type box struct {
	Metadata struct {
		Name string      `json:"name"`
		UID  cluster.UID `json:"uid"`
	} `json:"metadata"`
	Copies int `json:"copies"`
}

// boxReader knows boxes only; every box is a volume.
type boxReader struct{ boxes map[cluster.UID]box }

func (r *boxReader) Put(k plugin.Kind, item []byte) error {
	var b box
	if err := json.Unmarshal(item, &b); err != nil {
		return err
	}
	if k.Resource == "boxes" {
		r.boxes[b.Metadata.UID] = b
	}
	return nil
}

func (r *boxReader) Drop(k plugin.Kind, uid cluster.UID) {
	if k.Resource == "boxes" {
		delete(r.boxes, uid)
	}
}

func (r *boxReader) Storage() (cluster.Storage, []cluster.Gap) {
	st := cluster.Storage{Driver: "box.example"}
	for _, b := range inOrder(slices.Collect(maps.Values(r.boxes)), func(b box) (string, string, cluster.UID) { return "", b.Metadata.Name, b.Metadata.UID }) {
		st.Volumes = append(st.Volumes, cluster.Volume{Name: b.Metadata.Name, UID: b.Metadata.UID, Want: b.Copies})
	}
	return st, nil
}

func boxObject(name string, copies int) string { return boxAt(11, name, copies) }

func boxAt(version int, name string, copies int) string {
	return fmt.Sprintf(`{"kind":"Box","metadata":{"name":%q,"uid":"u-%s","resourceVersion":"%d"},"copies":%d}`, name, name, version, copies)
}

func nodeObject(name, ready, heartbeat string) string {
	return fmt.Sprintf(`{"kind":"Node","metadata":{"name":%q,"uid":"u-%s","resourceVersion":"11"},`+
		`"status":{"conditions":[{"type":"Ready","status":%q,"lastHeartbeatTime":%q}]}}`, name, name, ready, heartbeat)
}

// observed is a Cluster that observes the api with small pages and limits.
func observed(t *testing.T, a *api, change ...func(*Config)) *Cluster {
	t.Helper()
	cfg := Config{
		REST: &rest.Config{Host: a.URL}, Storages: []plugin.Storage{boxes{}},
		Page: 2, RequestLimit: 5 * time.Second, Pause: 50 * time.Millisecond, Relist: time.Minute,
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := NewCluster(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
