// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const (
	writers      = 8
	requestLimit = 20 * time.Second
)

// task is one object to be written: as it should be, nil to be removed, and
// what is known of it on the server.
type task struct {
	ref   model.Ref
	want  model.Object
	entry entry
	known bool
}

// result is the server's answer to a task.
type result struct {
	entry   entry
	removed bool
	created bool
	err     error
}

// flush writes what of the model differs from the server, owners before what
// they own, several objects at a time. What fails is tried again in the next
// turn.
func (s *Standin) flush(ctx context.Context) error {
	var failed error
	for _, kind := range model.Kinds() {
		tasks := s.tasks(kind)
		results := make([]result, len(tasks))
		var group sync.WaitGroup
		slots := make(chan struct{}, writers)
		for i := range tasks {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				limited, cancel := context.WithTimeoutCause(ctx, requestLimit, fmt.Errorf("request limit of %s passed", requestLimit))
				defer cancel()
				results[i] = s.write(limited, tasks[i])
			})
		}
		group.Wait()
		for i, r := range results {
			failed = errors.Join(failed, s.record(tasks[i], r))
		}
	}
	return failed
}

// tasks collects what is to be written of a kind.
func (s *Standin) tasks(kind model.Kind) []task {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []task
	for ref := range s.retry {
		if ref.Kind != kind {
			continue
		}
		delete(s.retry, ref)
		t := task{ref: ref}
		if e := s.entries[ref]; e != nil {
			t.entry, t.known = *e, true
		}
		if o := s.model.Get(ref.Kind, ref.Name); o != nil {
			t.want = o.DeepCopyObject().(model.Object)
		}
		if t.want != nil || t.known {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b task) int {
		if a.ref.Name < b.ref.Name {
			return -1
		}
		return 1
	})
	return out
}

// record takes in the server's answer.
func (s *Standin) record(t task, r result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.removed:
		delete(s.entries, t.ref)
		if t.want != nil {
			s.retry[t.ref] = true // its successor is written in the next turn
		}
	case r.entry.base != nil && r.entry.base.GetUID() != "":
		e := r.entry
		s.entries[t.ref] = &e
		if r.created {
			if err := s.model.Adopt(model.Ref{Kind: t.ref.Kind, Name: t.ref.Name, UID: t.want.GetUID()}, e.base.GetUID()); err != nil {
				s.opts.Log.Debug("gone before it was written", "kind", t.ref.Kind, "name", t.ref.Name)
			}
		}
	}
	if r.err == nil {
		return nil
	}
	s.retry[t.ref] = true
	if apierrors.IsConflict(r.err) {
		return nil // somebody was faster: the watch brings it
	}
	return fmt.Errorf("%s %s: %w", t.ref.Kind, t.ref.Name, r.err)
}

// write brings one object to the server. It asks for nothing that the server
// has already.
func (s *Standin) write(ctx context.Context, t task) result {
	if t.known && (t.want == nil || t.want.GetUID() != t.entry.base.GetUID()) {
		return s.erase(ctx, t)
	}
	r := result{entry: t.entry}
	body, status := bodyOf(t.want), statusOf(t.want)
	if !t.known {
		if r = s.create(ctx, t); r.err != nil {
			return r
		}
	}
	if body != t.entry.body {
		if r.err = s.put(ctx, t, &r, ""); r.err != nil {
			return r
		}
		r.entry.body = body
	}
	if status != r.entry.status {
		if r.err = s.put(ctx, t, &r, "status"); r.err != nil {
			return r
		}
		r.entry.status = status
	}
	if t.want.GetDeletionTimestamp() != nil && r.entry.base.GetDeletionTimestamp() == nil {
		uid := r.entry.base.GetUID()
		r.err = notFoundIsFine(s.rest().Delete().Namespace(Namespace).Resource(string(t.ref.Kind)).Name(t.ref.Name).
			Body(&metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}).Do(ctx).Error())
	}
	return r
}

// create makes an object. One that is there already was made by a request whose
// answer got lost.
func (s *Standin) create(ctx context.Context, t task) result {
	fresh := newObject(t.ref.Kind)
	o := t.want.DeepCopyObject().(model.Object)
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetDeletionTimestamp(nil)
	err := s.rest().Post().Namespace(Namespace).Resource(string(t.ref.Kind)).Body(o).Do(ctx).Into(fresh)
	if apierrors.IsAlreadyExists(err) {
		err = s.rest().Get().Namespace(Namespace).Resource(string(t.ref.Kind)).Name(t.ref.Name).Do(ctx).Into(fresh)
		return result{entry: entry{base: fresh}, created: err == nil, err: err}
	}
	if err != nil {
		return result{err: err}
	}
	return result{entry: entry{base: fresh, body: bodyOf(t.want)}, created: true}
}

// put updates an object, or its status.
func (s *Standin) put(ctx context.Context, t task, r *result, subresource string) error {
	base := r.entry.base
	o := t.want.DeepCopyObject().(model.Object)
	o.SetUID(base.GetUID())
	o.SetResourceVersion(base.GetResourceVersion())
	o.SetGeneration(base.GetGeneration())
	o.SetCreationTimestamp(base.GetCreationTimestamp())
	o.SetDeletionTimestamp(base.GetDeletionTimestamp())
	o.SetDeletionGracePeriodSeconds(base.GetDeletionGracePeriodSeconds())
	fresh := newObject(t.ref.Kind)
	req := s.rest().Put().Namespace(Namespace).Resource(string(t.ref.Kind)).Name(t.ref.Name).Body(o)
	if subresource != "" {
		req = req.SubResource(subresource)
	}
	if err := req.Do(ctx).Into(fresh); err != nil {
		return err
	}
	r.entry.base = fresh
	return nil
}

// erase removes the object that the server has, finalizers or not.
func (s *Standin) erase(ctx context.Context, t task) result {
	base := t.entry.base
	uid := base.GetUID()
	if len(base.GetFinalizers()) > 0 {
		patch := encoded(map[string]any{"metadata": map[string]any{"uid": uid, "finalizers": nil}})
		err := s.rest().Patch(types.MergePatchType).Namespace(Namespace).Resource(string(t.ref.Kind)).
			Name(t.ref.Name).Body([]byte(patch)).Do(ctx).Error()
		if notFoundIsFine(err) != nil {
			return result{entry: t.entry, err: err}
		}
	}
	err := s.rest().Delete().Namespace(Namespace).Resource(string(t.ref.Kind)).Name(t.ref.Name).
		Body(&metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}).Do(ctx).Error()
	if apierrors.IsConflict(err) {
		err = nil // another object bears the name by now
	}
	if err = notFoundIsFine(err); err != nil {
		return result{entry: t.entry, err: err}
	}
	return result{removed: true}
}

func (s *Standin) rest() rest.Interface { return s.longhorn.LonghornV1beta2().RESTClient() }

func notFoundIsFine(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
