// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// entry is what is known of one object on the API server.
type entry struct {
	base         model.Object // as the server had it last
	body, status string       // as they were sent or read last
}

// absorb lets the model see what others did to Longhorn's objects. The server's
// objects are the users' input: what differs from the last version known here
// was changed by somebody else, and is applied to the model as a merge patch.
func (s *Standin) absorb() {
	changed, gone := s.watched.take()
	for ref, uids := range gone {
		for _, uid := range uids {
			if e := s.entries[ref]; e != nil && e.base.GetUID() == uid {
				delete(s.entries, ref)
			}
			s.model.Forget(model.Ref{Kind: ref.Kind, Name: ref.Name, UID: uid})
		}
	}
	for ref := range changed {
		if o := s.watched.latest(ref); o != nil {
			s.see(ref, o)
		}
	}
}

// see takes in one object of the server.
func (s *Standin) see(ref model.Ref, o model.Object) {
	e := s.entries[ref]
	mine := s.model.Get(ref.Kind, ref.Name)
	switch {
	case e != nil && !newer(o, e.base):
		return
	case e == nil && mine == nil && o.GetDeletionTimestamp() != nil:
		return // an echo of what was just removed
	case e == nil && mine == nil:
		if err := s.model.Create(o); err != nil {
			s.opts.Log.Debug("an object that the stand-in cannot take up", "kind", ref.Kind, "name", ref.Name, "error", err)
			return
		}
		s.entries[ref] = &entry{base: o, body: bodyOf(o)}
	case e == nil:
		return // written here a moment ago, or left from somebody else: the writer finds out
	default:
		s.merge(ref, e, o)
	}
	if o.GetDeletionTimestamp() != nil {
		if err := s.model.Delete(model.Ref{Kind: ref.Kind, Name: ref.Name, UID: o.GetUID()}); err != nil {
			s.opts.Log.Debug("deleted already", "kind", ref.Kind, "name", ref.Name, "error", err)
		}
	}
}

func (s *Standin) merge(ref model.Ref, e *entry, o model.Object) {
	patch := difference(decoded(bodyOf(e.base)), decoded(bodyOf(o)))
	e.base, e.body = o, bodyOf(o)
	if len(patch) == 0 {
		return
	}
	raw, err := json.Marshal(patch)
	if err == nil {
		err = s.model.Patch(model.Ref{Kind: ref.Kind, Name: ref.Name, UID: o.GetUID()}, raw)
	}
	if err != nil {
		s.opts.Log.Error("an edit that the stand-in cannot take up", "kind", ref.Kind, "name", ref.Name, "error", err)
	}
	s.retry[ref] = true // what of the model's own changes is not in it is written again
}

// newer compares resource versions, which in etcd are numbers that grow.
func newer(a, b model.Object) bool {
	x, errX := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	y, errY := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errX != nil || errY != nil || x > y
}

// bodyOf is an object without its status and without what the server manages.
func bodyOf(o model.Object) string {
	all := decoded(encoded(o))
	for _, k := range []string{"status", "kind", "apiVersion"} {
		delete(all, k)
	}
	from, _ := all["metadata"].(map[string]any)
	kept := map[string]any{}
	for _, k := range []string{"labels", "annotations", "finalizers", "ownerReferences"} {
		if v, ok := from[k]; ok {
			kept[k] = v
		}
	}
	all["metadata"] = kept
	return encoded(all)
}

// statusOf is an object's status alone.
func statusOf(o model.Object) string { return encoded(decoded(encoded(o))["status"]) }

// encoded never fails for what it is given: API objects and decoded JSON.
func encoded(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", err.Error())
	}
	return string(raw)
}

func decoded(raw string) map[string]any {
	out := map[string]any{}
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return map[string]any{}
	}
	return out
}

// difference is the JSON merge patch (RFC 7396) that makes after of before.
func difference(before, after map[string]any) map[string]any {
	patch := map[string]any{}
	for k, old := range before {
		now, ok := after[k]
		if !ok {
			patch[k] = nil
			continue
		}
		oldMap, a := old.(map[string]any)
		nowMap, b := now.(map[string]any)
		switch {
		case a && b:
			if inner := difference(oldMap, nowMap); len(inner) > 0 {
				patch[k] = inner
			}
		case !reflect.DeepEqual(old, now):
			patch[k] = now
		}
	}
	for k, now := range after {
		if _, ok := before[k]; !ok {
			patch[k] = now
		}
	}
	return patch
}

func settingPatch(value string) []byte { return []byte(encoded(map[string]string{"value": value})) }
