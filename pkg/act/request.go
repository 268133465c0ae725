// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// manager is how the server's managedFields name our changes.
const manager = "kubectl-safe-roll"

// client sends single requests: each with a timeout, and none is retried after it
// was taken. client-go by itself waits and repeats what is answered 429 or 503 with
// Retry-After; when to try again is the loop's business.
type client struct {
	rest    rest.Interface
	timeout time.Duration
	guard   func(time.Duration) error
	dryRun  bool
	marks   *marks
}

// object is one object as JSON; numbers are json.Number.
type object = map[string]any

// path returns the segments of an object's path.
func path(k plugin.Kind, namespace, name string) []string {
	p := []string{"/apis", k.Group, k.Version}
	if k.Group == "" {
		p = []string{"/api", k.Version}
	}
	if namespace != "" {
		p = append(p, "namespaces", namespace)
	}
	return append(p, k.Resource, name)
}

// get reads the object by a quorum read: no resourceVersion is given.
func (c client) get(ctx context.Context, path []string) (object, error) {
	body, err := c.send(ctx, c.rest.Get().AbsPath(path...))
	if err != nil {
		if classify(err) == gone {
			c.marks.going(path, "")
		}
		return nil, err
	}
	c.marks.saw(path, body)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	o := object{}
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("decode %s: %w", path[len(path)-1], err)
	}
	return o, nil
}

// patch sends a JSON merge patch.
func (c client) patch(ctx context.Context, path []string, body []byte) error {
	r := c.rest.Patch(types.MergePatchType).AbsPath(path...).Param("fieldManager", manager).Body(body)
	answer, err := c.change(ctx, c.dry(r))
	if err == nil {
		c.marks.saw(path, answer)
	}
	return err
}

// delete deletes the object if its preconditions hold.
func (c client) delete(ctx context.Context, path []string, pre metav1.Preconditions) error {
	opts := metav1.DeleteOptions{
		TypeMeta:      metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"},
		Preconditions: &pre,
	}
	if c.dryRun {
		// Where there is a body the server ignores the query, dryRun too
		// (apiserver, pkg/endpoints/handlers/delete.go).
		opts.DryRun = []string{metav1.DryRunAll}
	}
	body, err := json.Marshal(opts)
	if err != nil {
		return fmt.Errorf("encode the deletion: %w", err)
	}
	_, err = c.change(ctx, c.rest.Delete().AbsPath(path...).SetHeader("Content-Type", "application/json").Body(body))
	if err == nil && pre.UID != nil {
		c.marks.going(path, cluster.UID(*pre.UID))
	}
	return err
}

// post creates what body says.
func (c client) post(ctx context.Context, path []string, body []byte) error {
	r := c.rest.Post().AbsPath(path...).SetHeader("Content-Type", "application/json").Body(body)
	_, err := c.change(ctx, c.dry(r))
	return err
}

func (c client) dry(r *rest.Request) *rest.Request {
	if c.dryRun {
		return r.Param("dryRun", metav1.DryRunAll)
	}
	return r
}

// unsent is why a change was not sent: the lock does not last for it.
type unsent struct{ error }

// change sends a change, if the lock lasts as long as its answer may take.
func (c client) change(ctx context.Context, r *rest.Request) ([]byte, error) {
	if c.guard != nil {
		longest := c.timeout
		if at, ok := ctx.Deadline(); ok {
			longest = min(longest, time.Until(at))
		}
		if err := c.guard(longest); err != nil {
			return nil, unsent{fmt.Errorf("not sent: %w", err)}
		}
	}
	return c.send(ctx, r)
}

// send sends the request. Where the credentials are not accepted it is sent once
// more, within the same time: it did nothing, and client-go gets new ones upon that
// answer and not before it (exec.go, token_source.go).
func (c client) send(ctx context.Context, r *rest.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("the request timeout of %s", c.timeout))
	defer cancel()
	body, err := once(ctx, r)
	if apierrors.IsUnauthorized(err) && !denied(err) {
		body, err = once(ctx, r)
	}
	return body, err
}

func once(ctx context.Context, r *rest.Request) ([]byte, error) {
	res := r.SetHeader("Accept", "application/json").MaxRetries(0).Do(ctx)
	body, err := res.Raw()
	if err == nil {
		return body, nil
	}
	if st := statusOf(body); st != nil {
		return nil, &apierrors.StatusError{ErrStatus: *st}
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	return nil, err
}

// statusOf returns the server's own words, if the body has them. The plugin's
// decoder may not know the kind Status, so it is not asked.
func statusOf(body []byte) *metav1.Status {
	var st metav1.Status
	if json.Unmarshal(body, &st) != nil || st.Kind != "Status" || st.Status != metav1.StatusFailure || st.Code == 0 {
		return nil
	}
	return &st
}
