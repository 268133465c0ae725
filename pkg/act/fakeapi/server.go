// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Object is one object as JSON decodes it; numbers are json.Number.
type Object = map[string]any

// Call is one request as it arrived, numbered from 1.
type Call struct {
	N      int
	Method string
	Path   string
	Query  url.Values
	Body   []byte
}

// Fault is what shall go wrong with a call. The zero value is nothing.
type Fault struct {
	// Hold delays the call until the channel is closed or the client has gone;
	// Delay until the channel is closed, and then it takes effect even if
	// nobody waits for the answer any more. The test must close it.
	Hold  <-chan struct{}
	Delay <-chan struct{}
	// Status is answered instead of the real answer; Lost drops the connection.
	Status *metav1.Status
	Lost   bool
	// Late: the call takes effect before it goes wrong.
	Late bool
}

// Server is a small API server. Its methods may be called concurrently.
type Server struct {
	web *httptest.Server

	mu      sync.Mutex
	objects map[string]Object // by path
	version int64
	born    int64
	calls   []Call
	meddle  func(Call) Fault
}

// Start starts a server on loopback that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{objects: map[string]Object{}}
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.web.Close)
	return s
}

// Config returns how to reach it.
func (s *Server) Config() *rest.Config {
	return &rest.Config{
		Host:          s.web.URL,
		QPS:           -1, // no client-side limit: tests measure calls, not patience
		ContentConfig: rest.ContentConfig{ContentType: "application/json"},
	}
}

// Meddle has f say of every further call what shall go wrong with it; nil
// ends that. f runs before the call has any effect and may use the server.
func (s *Server) Meddle(f func(Call) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meddle = f
}

// Calls returns the calls so far, in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	call := Call{N: len(s.calls) + 1, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Body: body}
	s.calls = append(s.calls, call)
	meddle := s.meddle
	s.mu.Unlock()

	var fault Fault
	if meddle != nil {
		fault = meddle(call)
	}
	if fault.Hold != nil {
		select {
		case <-fault.Hold:
		case <-r.Context().Done():
		}
	}
	if fault.Delay != nil {
		<-fault.Delay
	}
	wrong := fault.Lost || fault.Status != nil
	var code int
	var answer any
	if !wrong || fault.Late {
		code, answer = s.handle(call)
	}
	if fault.Lost {
		panic(http.ErrAbortHandler)
	}
	if fault.Status != nil {
		code, answer = int(fault.Status.Code), fault.Status
		if d := fault.Status.Details; d != nil && d.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(d.RetryAfterSeconds)))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

// handle does what the call asks for, at once and alone.
func (s *Server) handle(c Call) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := parse(c.Path)
	if err != nil {
		return refuse(http.StatusNotFound, metav1.StatusReasonNotFound, err.Error())
	}
	switch {
	case at.sub == "eviction" && c.Method == http.MethodPost:
		return s.evict(at, c)
	case at.sub != "":
		return refuse(http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
	case at.name == "" && c.Method == http.MethodGet:
		return s.list(at, c)
	case at.name == "" && c.Method == http.MethodPost:
		return s.create(at, c)
	case c.Method == http.MethodGet:
		return s.read(at)
	case c.Method == http.MethodPut:
		return s.update(at, c)
	case c.Method == http.MethodPatch:
		return s.patch(at, c)
	case c.Method == http.MethodDelete:
		return s.remove(at, c)
	default:
		return refuse(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, c.Method)
	}
}

var errPath = errors.New("the server could not find the requested resource")

func refuse(code int, reason metav1.StatusReason, message string, causes ...metav1.StatusCause) (int, any) {
	return code, Refusal(code, reason, message, causes...)
}

// Refusal returns the Status by which a server says no, for Fault.Status.
func Refusal(code int, reason metav1.StatusReason, message string, causes ...metav1.StatusCause) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
		Details: &metav1.StatusDetails{Causes: causes},
	}
}
