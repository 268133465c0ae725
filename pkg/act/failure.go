// SPDX-License-Identifier: Apache-2.0

package act

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// failure is what an error of one request means.
type failure uint8

const (
	fatal    failure = iota // will not pass by itself
	gone                    // there is no such object
	conflict                // the object is another one, or has changed
	refused                 // the server said no; it may say yes later
	lost                    // no answer, or one that says nothing
)

// classify says what an error of one request means.
func classify(err error) failure {
	if _, held := errors.AsType[unsent](err); held {
		return refused
	}
	st, answered := errors.AsType[*apierrors.StatusError](err)
	if !answered {
		return lost // the connection, the name, the timeout
	}
	code := int(st.ErrStatus.Code)
	switch {
	case apierrors.IsNotFound(err) && !apierrors.IsUnexpectedServerError(err):
		// The other kind of 404 is about a path that the server does not
		// serve: that says nothing of the object.
		return gone
	case code == http.StatusConflict, otherUID(err):
		return conflict
	case code == http.StatusTooManyRequests, severalBudgets(err), denied(err):
		return refused
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return refused
	case code >= http.StatusInternalServerError, code == http.StatusRequestTimeout, code == http.StatusGone:
		return lost
	default:
		return fatal
	}
}

// otherUID: a patch that carries another UID than the object's is answered 422
// on that field, not 409 (apimachinery, pkg/api/validation/objectmeta.go,
// ValidateObjectMetaAccessorUpdate).
func otherUID(err error) bool {
	st, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsInvalid(err) || st.ErrStatus.Details == nil {
		return false
	}
	for _, c := range st.ErrStatus.Details.Causes {
		if c.Field == "metadata.uid" {
			return true
		}
	}
	return false
}

// severalBudgets: a pod under two budgets cannot be evicted, and the server
// says so with code 500 (pkg/registry/core/pod/storage/eviction.go).
func severalBudgets(err error) bool {
	return strings.Contains(err.Error(), "more than one PodDisruptionBudget")
}

// denied: an admission webhook or policy said no. Its code is of its own
// choosing; the words are the API server's (plugin/webhook/errors and
// plugin/policy/validating).
func denied(err error) bool {
	s := err.Error()
	return strings.Contains(s, "admission webhook") && strings.Contains(s, "denied the request") ||
		strings.Contains(s, "ValidatingAdmissionPolicy") && strings.Contains(s, "denied request")
}

// beforeChange turns an error of a read that precedes a change into what came
// of the deed: nothing was changed.
func beforeChange(what string, err error) (decide.Outcome, error) {
	switch classify(err) {
	case gone:
		return decide.Outcome{Result: decide.Conflict, Detail: what + " is gone"}, nil
	case fatal:
		return decide.Outcome{}, fmt.Errorf("read %s: %w", what, explain(err))
	default:
		return decide.Outcome{Result: decide.Refused, Detail: fmt.Sprintf("%s could not be read, so nothing was changed: %s", what, words(err)), After: asked(err)}, nil
	}
}

// asked is how long the server asked to be left alone (Retry-After).
func asked(err error) time.Duration {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	return time.Duration(seconds) * time.Second
}

// ofChange turns an error of a change into what came of the deed.
func ofChange(what string, err error) (decide.Outcome, error) {
	switch classify(err) {
	case gone:
		return decide.Outcome{Result: decide.Conflict, Detail: what + " is gone"}, nil
	case conflict:
		return decide.Outcome{Result: decide.Conflict, Detail: what + " is not as expected: " + words(err)}, nil
	case refused:
		return decide.Outcome{Result: decide.Refused, Detail: what + ": " + words(err), After: asked(err)}, nil
	case lost:
		return decide.Outcome{Result: decide.Uncertain, Detail: what + " may or may not have been changed: " + words(err), After: asked(err)}, nil
	default:
		return decide.Outcome{}, fmt.Errorf("change %s: %w", what, explain(err))
	}
}

// explain says what to do about an answer that will not change by itself.
func explain(err error) error {
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server does not accept the credentials any more: log in again, then run the same command: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("a right is missing; grant it, then run the same command: %w", err)
	default:
		return err
	}
}

// words is the server's answer in one line, with the budget's own sentence
// where there is one.
func words(err error) string {
	s := err.Error()
	if c, ok := apierrors.StatusCause(err, "DisruptionBudget"); ok && c.Message != "" {
		s += " " + c.Message
	}
	return strings.Join(strings.Fields(s), " ")
}
