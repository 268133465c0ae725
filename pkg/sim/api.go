// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// latency is what one request takes.
const latency = 4 * time.Millisecond

// restConfig reaches this world: package act sends real requests, and nothing
// leaves the process.
func (p *Process) restConfig() *rest.Config {
	return &rest.Config{Host: "http://sim.invalid", QPS: -1, Transport: transport{p}}
}

// transport answers requests from the world.
type transport struct{ *Process }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := t.world
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	fault := t.call(r.Method + " " + resource(r.URL.Path))
	by := t.inHand()
	if fault.Harm == Doze && !fault.After {
		t.wake()
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
	}
	lapse(latency)
	effect := func() (int, any) {
		return w.handle(request{method: r.Method, parts: split(r.URL.Path), body: w.sent(body), by: by})
	}
	if by != nil && fault.Late > 0 {
		w.sentLate(by)
	}
	res, err := fault.apply(r, w, effect)
	if fault.Harm == Doze {
		t.wake()
	}
	return res, err
}

// split takes a path apart: the resource, and what follows it.
func split(path string) []string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		switch p {
		case "namespaces":
			if i+2 < len(parts) {
				return append([]string{parts[i+1]}, parts[i+2:]...) // namespace, resource, name, sub
			}
		case "nodes":
			return append([]string{""}, parts[i:]...)
		}
	}
	return parts
}

func resource(path string) string {
	parts := split(path)
	if len(parts) < 2 {
		return path
	}
	return strings.Join(append([]string{parts[1]}, parts[min(3, len(parts)):]...), "/")
}

type request struct {
	method string
	parts  []string
	body   []byte
	by     *deed
}

// handle does what a request asks for.
func (w *World) handle(r request) (int, any) {
	if len(r.parts) < 3 {
		return refusal(http.StatusNotFound, metav1.StatusReasonNotFound, "no such path")
	}
	name := r.parts[2]
	switch {
	case r.parts[0] == "" && r.parts[1] == "nodes":
		return w.handleNode(r, name)
	case r.parts[1] == "pods":
		return w.handlePod(r, r.parts[0], name)
	case r.parts[0] == longhorn.Namespace:
		return w.handleStorage(r, model.Ref{Kind: model.Kind(r.parts[1]), Name: name})
	}
	return refusal(http.StatusNotFound, metav1.StatusReasonNotFound, "no such resource")
}

func (w *World) handleNode(r request, name string) (int, any) {
	n := w.machine(name)
	if n == nil {
		return refusal(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("nodes %q not found", name))
	}
	version := strconv.Itoa(n.version)
	if r.method == http.MethodGet {
		o := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}}
		o.Name, o.UID = n.name, types.UID(n.uid)
		spec := map[string]any{}
		if n.cordoned {
			spec["unschedulable"] = true
		}
		raw, err := json.Marshal(struct {
			metav1.PartialObjectMetadata
			Spec map[string]any `json:"spec"`
		}{o, spec})
		if err != nil {
			return refusal(http.StatusInternalServerError, metav1.StatusReasonInternalError, err.Error())
		}
		return http.StatusOK, json.RawMessage(w.managed.into(raw, o.UID, version))
	}
	m, no := meant(r.body, types.UID(n.uid), version)
	if no != nil {
		return int(no.Code), no
	}
	w.felt(r.by, m.named())
	if r.method == http.MethodDelete {
		w.remove(n, oracle.Ours)
		return http.StatusOK, success()
	}
	w.cordon(n, m.Spec.Unschedulable != nil && *m.Spec.Unschedulable, oracle.Ours)
	w.managed.note(types.UID(n.uid), r.body)
	return http.StatusOK, success()
}

func (w *World) handlePod(r request, namespace, name string) (int, any) {
	p := w.pod(namespace, name)
	if p == nil {
		return refusal(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("pods %q not found", name))
	}
	if r.method == http.MethodGet {
		o := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}}
		o.Name, o.Namespace, o.UID = p.name, p.namespace, types.UID(p.uid)
		if p.deleting {
			o.DeletionTimestamp = &metav1.Time{Time: w.now}
		}
		return http.StatusOK, o
	}
	m, no := meant(r.body, types.UID(p.uid), "")
	if no != nil {
		return int(no.Code), no
	}
	if !w.budgetAllows(p) {
		return refusal(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests,
			"Cannot evict pod as it would violate the pod's disruption budget.")
	}
	w.felt(r.by, m.named())
	w.say("pod %s leaves %s", p.name, p.node)
	w.end(p)
	return http.StatusCreated, success()
}

func (w *World) handleStorage(r request, ref model.Ref) (int, any) {
	raw, uid, version, err := w.object(ref)
	if err != nil {
		return refusal(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s.longhorn.io %q not found", ref.Kind, ref.Name))
	}
	if r.method == http.MethodGet {
		return http.StatusOK, json.RawMessage(w.managed.into(raw, uid, version))
	}
	m, no := meant(r.body, uid, version)
	if no != nil {
		return int(no.Code), no
	}
	ref.UID = uid
	w.felt(r.by, m.named())
	if r.method == http.MethodDelete {
		w.say("%s %s is deleted by us", ref.Kind, ref.Name)
		err = w.model.Delete(ref)
		w.settleBy(oracle.Ours)
	} else {
		w.say("%s %s is patched by us", ref.Kind, ref.Name)
		err = w.model.Patch(ref, r.body)
	}
	if err != nil {
		return refusal(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, err.Error())
	}
	if r.method != http.MethodDelete {
		w.managed.note(uid, r.body)
	}
	if n := w.machine(ref.Name); ref.Kind == model.Nodes && n != nil {
		n.barredBy = oracle.Nobody
		if !w.placement(n.name).Spec.AllowScheduling {
			n.barredBy = oracle.Ours
		}
	}
	return http.StatusOK, success()
}

// settleBy steps the storage once, so that what a deed destroys at once is
// told apart from what the storage does later.
func (w *World) settleBy(by oracle.Hand) {
	w.model.Step(w.now)
	w.watchBytes(by)
}

func status(code int, reason metav1.StatusReason, message string) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	}
}

func refusal(code int, reason metav1.StatusReason, message string) (int, any) {
	return code, status(code, reason, message)
}

func success() *metav1.Status {
	return &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess}
}

func response(r *http.Request, code int, payload any) *http.Response {
	raw, err := json.Marshal(payload)
	if err != nil {
		code, raw = http.StatusInternalServerError, []byte(err.Error())
	}
	h := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Header: h, Request: r,
		ContentLength: int64(len(raw)), Body: io.NopCloser(bytes.NewReader(raw)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// waitFor waits until ctx ends and returns why.
func waitFor(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
