// SPDX-License-Identifier: Apache-2.0

package book

import (
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// failure is what an error of one request means.
type failure uint8

const (
	unknown failure = iota // no answer, or one that says nothing: look
	clash                  // somebody else was faster: look
	absent                 // there is no such object
	fatal                  // will not pass by itself
)

func classify(err error) failure {
	st, answered := errors.AsType[*apierrors.StatusError](err)
	if !answered {
		return unknown
	}
	switch code := st.ErrStatus.Code; {
	case code == http.StatusConflict:
		return clash
	case code == http.StatusNotFound:
		return absent
	case code == http.StatusTooManyRequests, code >= http.StatusInternalServerError, code == http.StatusRequestTimeout:
		return unknown
	default:
		return fatal
	}
}

// expired reports whether the server cannot go on with a list that it began.
func expired(err error) bool {
	st, answered := errors.AsType[*apierrors.StatusError](err)
	return answered && st.ErrStatus.Code == http.StatusGone
}

// explain says which way out there is, where there is one.
func explain(err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("a right is missing; grant it, then run the same command: %w", err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server does not accept the credentials any more: log in again, then run the same command: %w", err)
	default:
		return err
	}
}
