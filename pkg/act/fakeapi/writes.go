// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func dry(c Call) bool { return len(c.Query["dryRun"]) > 0 }

func (s *Server) create(at place, c Call) (int, any) {
	o, err := decode(c.Body)
	if err != nil {
		return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	at.name, _ = meta(o)["name"].(string)
	if at.name == "" {
		return refuse(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "metadata.name: Required value")
	}
	if _, taken := s.objects[at.path(at.name)]; taken {
		return refuse(http.StatusConflict, metav1.StatusReasonAlreadyExists, fmt.Sprintf("%s %q already exists", at.resource, at.name))
	}
	s.admit(at, o)
	if !dry(c) {
		s.store(at.path(at.name), o)
	}
	return http.StatusCreated, clone(o)
}

func (s *Server) update(at place, c Call) (int, any) {
	now, ok := s.objects[at.path(at.name)]
	if !ok {
		return missing(at)
	}
	o, err := decode(c.Body)
	if err != nil {
		return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	// An update's UID is a precondition: apiserver, registry/rest/update.go,
	// defaultUpdatedObjectInfo.Preconditions.
	if uid, given := meta(o)["uid"]; given && uid != "" && uid != meta(now)["uid"] {
		return conflict(at, "Precondition failed: UID in precondition does not match")
	}
	return s.commit(at, c, o)
}

func (s *Server) patch(at place, c Call) (int, any) {
	now, ok := s.objects[at.path(at.name)]
	if !ok {
		return missing(at)
	}
	p, err := decode(c.Body)
	if err != nil {
		return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	return s.commit(at, c, merge(clone(now), p))
}

// commit stores the new state of an object that exists.
func (s *Server) commit(at place, c Call, o Object) (int, any) {
	now := s.objects[at.path(at.name)]
	if rv, given := meta(o)["resourceVersion"]; given && rv != "" && rv != meta(now)["resourceVersion"] {
		return conflict(at, "the object has been modified; please apply your changes to the latest version and try again")
	}
	// A patched UID is compared after the patch, by ValidateObjectMetaUpdate:
	// apimachinery, api/validation/objectmeta.go.
	if uid, given := meta(o)["uid"]; given && uid != meta(now)["uid"] {
		return refuse(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid,
			fmt.Sprintf("%s %q is invalid: metadata.uid: Invalid value: %q: field is immutable", at.resource, at.name, uid),
			metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.uid", Message: "field is immutable"})
	}
	for _, keep := range []string{"uid", "creationTimestamp", "deletionTimestamp", "name", "namespace"} {
		if v, ok := meta(now)[keep]; ok {
			meta(o)[keep] = v
		}
	}
	if !dry(c) {
		s.store(at.path(at.name), o)
	}
	return http.StatusOK, clone(o)
}

func (s *Server) remove(at place, c Call) (int, any) {
	now, ok := s.objects[at.path(at.name)]
	if !ok {
		return missing(at)
	}
	var opts metav1.DeleteOptions
	if len(c.Body) > 0 {
		if err := json.Unmarshal(c.Body, &opts); err != nil {
			return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		}
	}
	if why := unmet(now, opts.Preconditions); why != "" {
		return conflict(at, why)
	}
	// Options in the body take the place of those in the query: apiserver,
	// endpoints/handlers/delete.go.
	if len(opts.DryRun) > 0 || len(c.Body) == 0 && dry(c) {
		return http.StatusOK, clone(now)
	}
	if f, _ := meta(now)["finalizers"].([]any); len(f) > 0 {
		meta(now)["deletionTimestamp"] = time.Now().UTC().Format(time.RFC3339)
		s.store(at.path(at.name), now)
		return http.StatusOK, clone(now)
	}
	delete(s.objects, at.path(at.name))
	return http.StatusOK, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess}
}

// unmet says which precondition does not hold, or "".
func unmet(o Object, p *metav1.Preconditions) string {
	if p == nil {
		return ""
	}
	if p.UID != nil && string(*p.UID) != meta(o)["uid"] {
		return fmt.Sprintf("the UID in the precondition (%s) does not match the UID in record (%s)", *p.UID, meta(o)["uid"])
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != meta(o)["resourceVersion"] {
		return fmt.Sprintf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s)",
			*p.ResourceVersion, meta(o)["resourceVersion"])
	}
	return ""
}

// evict marks the pod as going; budgets are played by Meddle.
func (s *Server) evict(at place, c Call) (int, any) {
	pod, ok := s.objects[at.path(at.name)]
	if !ok {
		return missing(at)
	}
	var e struct {
		DeleteOptions *metav1.DeleteOptions `json:"deleteOptions"`
	}
	if err := json.Unmarshal(c.Body, &e); err != nil {
		return refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	if e.DeleteOptions != nil {
		if why := unmet(pod, e.DeleteOptions.Preconditions); why != "" {
			return conflict(at, why)
		}
	}
	if !dry(c) {
		meta(pod)["deletionTimestamp"] = time.Now().UTC().Format(time.RFC3339)
		s.store(at.path(at.name), pod)
	}
	return http.StatusCreated, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess}
}

// merge applies a JSON merge patch (RFC 7386) to o, in place.
func merge(o, p Object) Object {
	for k, v := range p {
		sub, isObject := v.(Object)
		switch {
		case v == nil:
			delete(o, k)
		case isObject:
			under, ok := o[k].(Object)
			if !ok {
				under = Object{}
			}
			o[k] = merge(under, sub)
		default:
			o[k] = v
		}
	}
	return o
}
