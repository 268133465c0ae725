// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Replay answers requests for lists of the cluster from memory, page by page,
// as an API server spells them. Behind it nothing is slow, so that what a
// client costs is all that is measured; it knows no watches and changes nothing.
type Replay struct {
	shape Shape
	lists map[string][]json.RawMessage // by path
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
	r := &Replay{shape: s, lists: map[string][]json.RawMessage{}}
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

// ServeHTTP answers one page of a list.
func (r *Replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	items, ok := r.lists[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
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
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":%q},"items":[`, next)
	_, _ = w.Write(bytes.Join(rawOf(items[min(from, to):to]), []byte(",")))
	_, _ = w.Write([]byte("]}\n"))
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
