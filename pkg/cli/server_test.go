// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// server answers lists from a fixture, as a cluster that was just read. It
// takes no change: whoever sends one fails the test.
type server struct {
	t *testing.T
	// lists are the answers by resource, as the path ends.
	lists map[string][]byte
	// forbidden are resources that may not be listed.
	forbidden string
	// bare: the storage's kinds do not exist.
	bare bool
	// denied is a verb that nobody may use.
	denied string
}

// serve starts the servers of the scripts and names them in the environment.
func serve(t *testing.T, env *testscript.Env) error {
	for name, s := range map[string]*server{
		"WHOLE": {}, "RECREATED": {}, "BARE": {bare: true}, "HALFBLIND": {forbidden: "replicas"},
		"READER": {denied: "patch"},
	} {
		from := "whole"
		if name == "RECREATED" {
			from = "recreated"
		}
		s.t = t
		if err := s.load(filepath.Join("testdata", from)); err != nil {
			return err
		}
		h := httptest.NewServer(s)
		env.Defer(h.Close)
		env.Setenv(name, h.URL)
	}
	return nil
}

// load reads the fixture, with its times moved to the present.
func (s *server) load(dir string) error {
	s.lists = map[string][]byte{}
	var pairs []string
	for text, ago := range map[string]time.Duration{
		"2026-03-01T12:00:00": 0, "2026-03-01T11:59:00": time.Minute,
		"2026-03-01T11:30:00": 30 * time.Minute, "2026-03-01T11:00:00": time.Hour,
	} {
		pairs = append(pairs, text, time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05"))
	}
	moved := strings.NewReplacer(pairs...)
	for _, file := range []string{"core.yaml", "storage.yaml"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		for _, doc := range bytes.Split([]byte(moved.Replace(string(text))), []byte("\n---\n")) {
			if err := s.put(doc); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *server) put(doc []byte) error {
	var list struct {
		APIVersion string           `json:"apiVersion"`
		Kind       string           `json:"kind"`
		Metadata   map[string]any   `json:"metadata"`
		Items      []map[string]any `json:"items"`
	}
	if err := yaml.Unmarshal(doc, &list); err != nil {
		return err
	}
	list.Metadata = map[string]any{"resourceVersion": "1"}
	out, err := json.Marshal(list)
	if err != nil {
		return err
	}
	group, _, grouped := strings.Cut(list.APIVersion, "/")
	if !grouped {
		group = ""
	}
	s.lists[group+"/"+strings.ToLower(strings.TrimSuffix(list.Kind, "List"))+"s"] = out
	return nil
}

// ServeHTTP answers a list, or says why not.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
		s.review(w, r)
		return
	}
	if r.Method != http.MethodGet {
		s.t.Errorf("%s %s: something was changed", r.Method, r.URL.Path)
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group, resource := "", parts[len(parts)-1]
	if parts[0] == "apis" {
		group = parts[1]
	}
	storage := group == "longhorn.io"
	list, ok := s.lists[group+"/"+resource]
	switch {
	case storage && resource == s.forbidden:
		status(w, http.StatusForbidden, "Forbidden", resource+`.longhorn.io is forbidden: User "half-blind" cannot list resource "`+resource+`"`)
	case !ok, storage && s.bare:
		status(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Write(list)
	}
}

// review answers whether something may be done, and echoes the question.
func (s *server) review(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	asked, ok := decoded.(*authorizationv1.SelfSubjectAccessReview)
	if err != nil || !ok {
		s.t.Errorf("no question for rights: %T, %v", decoded, err)
		return
	}
	asked.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"}
	asked.Status.Allowed = asked.Spec.ResourceAttributes.Verb != s.denied
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(asked); err != nil {
		s.t.Error(err)
	}
}

func status(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, message, code)
}
