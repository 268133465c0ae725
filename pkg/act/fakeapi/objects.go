// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Create stores an object at the path and returns its UID: the one that its
// metadata has, else a new one. It panics on a path that is no object's.
func (s *Server) Create(path string, o Object) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := parse(path)
	if err != nil || at.name == "" {
		panic("not the path of an object: " + path)
	}
	o = clone(o)
	uid, _ := meta(o)["uid"].(string)
	s.admit(at, o)
	if uid != "" {
		meta(o)["uid"] = uid
	}
	meta(o)["name"] = at.name
	s.store(path, o)
	return meta(o)["uid"].(string)
}

// Get returns a copy of the object at the path, or nil.
func (s *Server) Get(path string) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.objects[path]; ok {
		return clone(o)
	}
	return nil
}

// Edit changes the object at the path as another client would.
func (s *Server) Edit(path string, change func(Object)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[path]
	if o == nil {
		panic("no object at " + path)
	}
	change(o)
	s.store(path, o)
}

// Remove removes the object at the path, as if it had never been.
func (s *Server) Remove(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, path)
}

// Paths returns the paths of all objects, sorted.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

func (s *Server) store(path string, o Object) {
	s.version++
	meta(o)["resourceVersion"] = strconv.FormatInt(s.version, 10)
	s.objects[path] = o
}

// admit gives a new object what the server gives it.
func (s *Server) admit(at place, o Object) {
	s.born++
	m := meta(o)
	m["uid"] = fmt.Sprintf("uid-%d", s.born)
	m["creationTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	if at.namespace != "" {
		m["namespace"] = at.namespace
	}
	o["apiVersion"] = at.apiVersion()
}

func (s *Server) read(at place) (int, any) {
	o, ok := s.objects[at.path(at.name)]
	if !ok {
		return missing(at)
	}
	return http.StatusOK, clone(o)
}

func (s *Server) list(at place, c Call) (int, any) {
	want, err := labels.Parse(c.Query.Get("labelSelector"))
	if err != nil {
		return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	items := []any{}
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		name, in := strings.CutPrefix(path, at.collection+"/")
		if !in || strings.Contains(name, "/") {
			continue
		}
		have := labels.Set{}
		ls, _ := meta(s.objects[path])["labels"].(Object)
		for k, v := range ls {
			have[k], _ = v.(string)
		}
		if want.Matches(have) {
			items = append(items, clone(s.objects[path]))
		}
	}
	return page(at, c, items, s.version)
}

// page cuts a list as limit and continue ask for.
func page(at place, c Call, items []any, version int64) (int, any) {
	from, _ := strconv.Atoi(c.Query.Get("continue"))
	from = min(from, len(items))
	m := Object{"resourceVersion": strconv.FormatInt(version, 10)}
	rest := items[from:]
	if limit, _ := strconv.Atoi(c.Query.Get("limit")); limit > 0 && len(rest) > limit {
		rest = rest[:limit]
		m["continue"] = strconv.Itoa(from + limit)
	}
	return http.StatusOK, Object{"kind": listKind(at.resource), "apiVersion": at.apiVersion(), "metadata": m, "items": rest}
}

// listKind returns the kind of a list, which clients decode by.
func listKind(resource string) string {
	if resource == "configmaps" {
		return "ConfigMapList"
	}
	return strings.ToUpper(resource[:1]) + strings.TrimSuffix(resource[1:], "s") + "List"
}

func missing(at place) (int, any) {
	st := Refusal(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %q not found", at.resource, at.name))
	st.Details.Kind, st.Details.Name, st.Details.Group = at.resource, at.name, at.group
	return http.StatusNotFound, st
}

func conflict(at place, why string) (int, any) {
	return refuse(http.StatusConflict, metav1.StatusReasonConflict,
		fmt.Sprintf("Operation cannot be fulfilled on %s %q: %s", at.resource, at.name, why))
}

func meta(o Object) Object {
	m, ok := o["metadata"].(Object)
	if !ok {
		m = Object{}
		o["metadata"] = m
	}
	return m
}

func decode(b []byte) (Object, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	o := Object{}
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("decode the body: %w", err)
	}
	return o, nil
}

func clone(o Object) Object {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	c, err := decode(b)
	if err != nil {
		panic(err)
	}
	return c
}
