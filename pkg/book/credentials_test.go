// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
)

func expired() fakeapi.Fault {
	return fakeapi.Fault{Status: fakeapi.Refusal(401, metav1.StatusReasonUnauthorized, "Unauthorized")}
}

// A token ends at any time, and client-go gets the next one upon the answer that
// says so.
func TestCredentials_ATokenThatEndsAtAnyCallEndsNothing(t *testing.T) {
	n := calls(t)
	for at := 1; at <= n; at++ {
		s := newShelf(t)
		s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
			if c.N == at {
				return expired()
			}
			return fakeapi.Fault{}
		})
		b := s.open("a")
		for i, step := range script() {
			var err error
			switch {
			case step.acquire:
				_, err = b.Acquire(t.Context())
			case step.renew:
				err = b.Renew(t.Context())
			case step.release:
				err = b.Release(t.Context())
			default:
				err = b.Append(t.Context(), step.events...)
			}
			if err != nil {
				t.Errorf("call %d: step %d: %v", at, i, err)
			}
		}
	}
}

func TestCredentials_ThatAreNotRenewedEndIt(t *testing.T) {
	s := newShelf(t)
	b := s.open("a")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(s.Calls())
	s.Meddle(func(fakeapi.Call) fakeapi.Fault { return expired() })
	err := b.Append(t.Context(), booktest.Started("r1"))
	if err == nil || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("ended with %v", err)
	}
	if got := len(s.Calls()) - before; got != 2 {
		t.Errorf("%d calls", got)
	}
}
