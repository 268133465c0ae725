// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Replay answers requests for lists of the cluster from memory, page by page,
// as an API server spells them. Behind it nothing is slow, so that what a
// client costs is all that is measured. A watch tells of nothing but of what
// Evict changes.
type Replay struct {
	shape Shape

	mu    sync.Mutex
	lists map[string][]json.RawMessage // by path
	// changes are all that there ever were; change is closed at the next one.
	changes []change
	changed chan struct{}
	leaving map[int]bool // volumes of which a replica shall be moved away
}

// change is an object of a list as it is now.
type change struct {
	path string
	now  json.RawMessage
}

// registries maps the first words of a key in etcd to the path of its list.
func registries() map[string]string {
	out := map[string]string{
		"minions/": "/api/v1/nodes", "persistentvolumes/": "/api/v1/persistentvolumes", "pods/": "/api/v1/pods",
		"volumeattachments/": "/apis/storage.k8s.io/v1/volumeattachments", "daemonsets/": "/apis/apps/v1/daemonsets",
		"leases/" + leases + "/": "/apis/coordination.k8s.io/v1/namespaces/" + leases + "/leases",
	}
	for _, path := range lists() {
		if kind, ok := strings.CutPrefix(path, "/apis/longhorn.io/v1beta2/"); ok {
			out["longhorn.io/"+kind+"/"] = path
		}
	}
	return out
}

// NewReplay makes the cluster's objects and keeps them as JSON.
func NewReplay(s Shape) (*Replay, error) {
	r := &Replay{shape: s, lists: map[string][]json.RawMessage{}, changed: make(chan struct{}), leaving: map[int]bool{}}
	for _, path := range lists() {
		r.lists[path] = nil
	}
	known := registries()
	for e := range s.objects() {
		raw, err := json.Marshal(e.value)
		if err != nil {
			return nil, err
		}
		found := false
		for prefix, path := range known {
			if strings.HasPrefix(e.key, "/registry/"+prefix) {
				r.lists[path] = append(r.lists[path], raw)
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("no list for %s", e.key)
		}
	}
	return r, nil
}

// ServeHTTP answers one page of a list, or a watch.
func (r *Replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	items, ok := r.lists[req.URL.Path]
	version := len(r.changes)
	r.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if req.URL.Query().Has("watch") {
		r.watch(w, req)
		return
	}
	if strings.HasSuffix(req.URL.Path, "/leases") {
		items = r.leases()
	}
	from, _ := strconv.Atoi(req.URL.Query().Get("continue"))
	limit, err := strconv.Atoi(req.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = len(items)
	}
	to := min(from+limit, len(items))
	next := ""
	if to < len(items) {
		next = strconv.Itoa(to)
	}
	_, _ = fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"%d","continue":%q},"items":[`, version, next)
	_, _ = w.Write(bytes.Join(rawOf(items[min(from, to):to]), []byte(",")))
	_, _ = w.Write([]byte("]}\n"))
}

// watch tells of changes, from the version that is asked for, until the client
// goes. A version is how many changes there were.
func (r *Replay) watch(w http.ResponseWriter, req *http.Request) {
	told, err := strconv.Atoi(req.URL.Query().Get("resourceVersion"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	flush := http.NewResponseController(w)
	for {
		r.mu.Lock()
		news, more := r.changes[told:], r.changed
		r.mu.Unlock()
		for _, c := range news {
			if c.path == req.URL.Path {
				_, _ = fmt.Fprintf(w, "{\"type\":\"MODIFIED\",\"object\":%s}\n", c.now)
			}
		}
		told += len(news)
		if err := flush.Flush(); err != nil {
			return
		}
		select {
		case <-req.Context().Done():
			return
		case <-more:
		}
	}
}

// Evict asks for the second replica of the volume to be moved away, or takes that
// back where it was asked.
func (r *Replay) Evict(volume int) error {
	const path = "/apis/longhorn.io/v1beta2/replicas"
	o := r.shape.replica(volume, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving[volume] = !r.leaving[volume]
	o.Spec.EvictionRequested = r.leaving[volume]
	o.ResourceVersion = strconv.Itoa(len(r.changes) + 1)
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	r.lists[path] = slices.Clone(r.lists[path]) // an answer in hand goes on with the old one
	r.lists[path][volume*r.shape.Replicas+1] = raw
	r.changes = append(r.changes, change{path, raw})
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

// leases are the nodes', each renewed just now.
func (r *Replay) leases() []json.RawMessage {
	var out []json.RawMessage
	for n := range r.shape.Nodes {
		raw, err := json.Marshal(lease(nodeName(n)).object)
		if err != nil {
			panic(err) // an object of Kubernetes' own always encodes
		}
		out = append(out, raw)
	}
	return out
}

func rawOf(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}
