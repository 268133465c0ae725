// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
	"github.com/safe-roll/kubectl-safe-roll/pkg/trail"
)

// The roles.
const (
	roleViewer = "viewer"
	roleRoller = "roller"
	roleProber = "prober"
)

func roleNames() []string { return []string{roleViewer, roleRoller, roleProber} }

// role is the rights of one kind of use.
type role struct {
	name, means string
	rights      []cluster.Right
}

// object is the name of its objects in the cluster.
func (r role) object() string { return "safe-roll-" + r.name }

// roles are the roles, made of what each room says that it asks for.
func (c *connection) roles() ([]role, error) {
	deeds, err := act.Rights(c.app.Storages)
	if err != nil {
		return nil, err
	}
	see := append(observe.Rights(c.app.Storages, c.storageNamespace), book.ReadRights(c.bookNamespace)...)
	do := append(slices.Clone(see), book.WriteRights(c.bookNamespace)...)
	do = append(append(do, deeds...), trail.Rights()...)
	return []role{
		{roleViewer, "safe-roll: verify, plan, explain, status, report", see},
		{roleRoller, "safe-roll: drain, run, approve, abort, and all that a viewer may", do},
		{roleProber, "safe-roll: looking into the directories of replicas, besides another role", c.probing()},
	}, nil
}

// probing is what running a command in a pod of a storage asks for.
func (c *connection) probing() []cluster.Right {
	var out []cluster.Right
	for _, s := range c.app.Storages {
		ns := c.storageNamespace
		if ns == "" {
			ns = s.DefaultNamespace()
		}
		// A websocket is opened by a GET, SPDY by a POST (KEP-4006).
		out = append(out, cluster.Right{
			Resource: "pods/exec", Verbs: []string{"create", "get"}, Namespace: ns, For: "to see whether a replica's data are there",
		})
	}
	return out
}

// may asks the API server whether we may do what a roll does, and names what
// is missing. What may be read is told by reading. Which nodes will be deleted,
// and whether at all, is the plan's business.
func (o *rollOptions) may(ctx context.Context) error {
	rights, err := act.Rights(o.app.Storages)
	if err != nil {
		return failed(err)
	}
	rights = slices.DeleteFunc(append(rights, book.WriteRights(o.conn.bookNamespace)...), func(r cluster.Right) bool {
		return r.Resource == "nodes" && slices.Contains(r.Verbs, "delete") && !o.commands.DeleteNode
	})
	set, err := o.conn.clientset()
	if err != nil {
		return failed(err)
	}
	var missing []string
	for _, r := range rights {
		for _, verb := range r.Verbs {
			ok, err := allowed(ctx, set, r, verb)
			switch {
			case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
				return nil // whoever may not ask is told by the first deed
			case err != nil:
				return failed(err)
			case !ok:
				missing = append(missing, spell(r, verb))
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return failed(fmt.Errorf("you may not %s; nothing was changed. The role roller grants it: %s rbac roller --bind=user:YOU | kubectl apply -f -",
		strings.Join(missing, ", nor "), o.display))
}

func allowed(ctx context.Context, set kubernetes.Interface, r cluster.Right, verb string) (bool, error) {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: r.Group, Resource: resource, Subresource: sub, Verb: verb, Namespace: r.Namespace, Name: r.Name,
		},
	}}
	answer, err := set.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask for rights: %w", err)
	}
	return answer.Status.Allowed, nil
}

// spell says a right as a person reads it, the resource with its group.
func spell(r cluster.Right, verb string) string {
	s := verb + " " + r.Resource
	if r.Group != "" {
		s += "." + r.Group
	}
	if r.Namespace != "" {
		s += " in " + r.Namespace
	}
	return s
}
