// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// evictPods asks the server to evict each pod once, one after the other, by
// its own grace period. A refusal does not keep the others: they may have
// another budget. An answer that never came ends the batch. Pods are evicted,
// never deleted.
func (a *Actor) evictPods(ctx context.Context, batch []cluster.PodRef) (decide.Outcome, error) {
	var went, were int
	var no []string
	var after time.Duration
	for _, p := range batch {
		is, err := a.evict(ctx, p)
		if err == nil {
			if is {
				went++
			} else {
				were++
			}
			continue
		}
		after = max(after, asked(err))
		pod := p.Namespace + "/" + p.Name
		_, before := errors.AsType[unread](err)
		switch is := classify(err); {
		case before:
			no = append(no, pod+" could not be read: "+words(err))
		case is == lost:
			return decide.Outcome{
				Result: decide.Uncertain,
				Detail: fmt.Sprintf("%s; pod %s may or may not have been: %s", tally(went, were, len(batch)), pod, words(err)),
				After:  after,
			}, nil
		case is == fatal, is == gone:
			return decide.Outcome{}, fmt.Errorf("%s; evict pod %s: %w", tally(went, were, len(batch)), pod, explain(err))
		default:
			no = append(no, pod+": "+words(err))
		}
	}
	if len(no) > 0 {
		return decide.Outcome{
			Result: decide.Refused,
			Detail: tally(went, were, len(batch)) + "; " + strings.Join(no, "; "),
			After:  after,
		}, nil
	}
	return decide.Outcome{Result: decide.Performed, Detail: tally(went, were, len(batch))}, nil
}

func tally(went, were, all int) string {
	s := fmt.Sprintf("%d of %s asked to go", went, decide.Many(all, "pod"))
	if were > 0 {
		s += fmt.Sprintf(", %d gone or going already", were)
	}
	return s
}

// evict asks for one eviction and reports whether there was anything to evict.
//
// The pod is read first because the server charges the budget before it
// compares the UID (pkg/registry/core/pod/storage/eviction.go): a namesake's
// budget would be spent for nothing. A 404 or 409 is looked at again, since
// it may be about the pod's UID, about a pod that changes just now, or about a
// server without policy/v1.
func (a *Actor) evict(ctx context.Context, p cluster.PodRef) (bool, error) {
	switch here, going, err := a.pod(ctx, p); {
	case err != nil && classify(err) == lost:
		// Nothing was asked for yet: that the read failed may pass.
		return false, unread{err}
	case err != nil:
		return false, err
	case !here || going:
		return false, nil
	}
	uid := types.UID(p.UID)
	body, err := json.Marshal(policyv1.Eviction{
		TypeMeta:      metav1.TypeMeta{Kind: "Eviction", APIVersion: "policy/v1"},
		ObjectMeta:    metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}},
	})
	if err != nil {
		return false, fmt.Errorf("encode the eviction: %w", err)
	}
	at := path(pods(), p.Namespace, p.Name)
	err = a.core.post(ctx, append(at, "eviction"), body)
	if err == nil {
		a.marks.going(at, p.UID)
		return true, nil
	}
	if is := classify(err); is != gone && is != conflict {
		return false, err
	}
	if here, _, again := a.pod(ctx, p); again == nil && !here {
		return false, nil
	}
	return false, err
}

// pod reads whether the pod of that UID is there, and whether it is going.
func (a *Actor) pod(ctx context.Context, p cluster.PodRef) (here, going bool, err error) {
	o, err := a.core.get(ctx, path(pods(), p.Namespace, p.Name))
	if err != nil {
		if classify(err) == gone {
			return false, false, nil
		}
		return false, false, err
	}
	here = valueAt(o, []string{"metadata", "uid"}) == string(p.UID)
	return here, valueAt(o, []string{"metadata", "deletionTimestamp"}) != "", nil
}

// unread is a read that failed before anything was asked of the server.
type unread struct{ error }

// Unwrap returns the read's own error.
func (u unread) Unwrap() error { return u.error }
