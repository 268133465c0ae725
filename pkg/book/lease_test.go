// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// held returns a book that holds the lock, with roll r1 begun.
func held(t *testing.T, s *shelf, identity string) *book.Book {
	t.Helper()
	b := s.open(identity)
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
		t.Fatal(err)
	}
	return b
}

func heldError(t *testing.T, s *shelf) string {
	t.Helper()
	_, err := s.open("b").Acquire(t.Context())
	if !errors.Is(err, record.ErrHeld) {
		t.Fatalf("got %v", err)
	}
	return err.Error()
}

func TestLease_AnotherClocksLeaseIsLeftAloneForAMargin(t *testing.T) {
	s := newShelf(t)
	held(t, s, "a")
	s.advance(book.DefaultLeaseDuration)
	heldError(t, s)
	s.advance(book.DefaultSkewMargin - time.Millisecond)
	heldError(t, s)
	s.advance(time.Millisecond)
	if _, err := s.open("b").Acquire(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLease_AHolderWithoutTimesIsNotDead(t *testing.T) {
	s := newShelf(t)
	s.Create(leasePath, fakeapi.Object{"kind": "Lease", "spec": fakeapi.Object{"holderIdentity": "somebody"}})
	s.advance(time.Until(s.clock()) * -1) // the server's creation time is the real one
	heldError(t, s)
	s.advance(2 * forever)
	if _, err := s.open("b").Acquire(t.Context()); err != nil {
		t.Errorf("it blocks for ever: %v", err)
	}
}

func TestLease_AClockThatIsAheadIsNamed(t *testing.T) {
	s := newShelf(t)
	s.advance(time.Hour)
	held(t, s, "a")
	s.advance(-time.Hour)
	if got := heldError(t, s); !strings.Contains(got, "its clock is 1h0m0s ahead of ours") {
		t.Error(got)
	}
}

func TestLease_CountsItsTransitionsAndBearsOurLabels(t *testing.T) {
	s := newShelf(t)
	a := held(t, s, "a")
	if err := a.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := s.open("b")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := s.Get(leasePath)
	if n := text(l, "spec", "leaseTransitions"); n == nil || n.(interface{ String() string }).String() != "1" {
		t.Errorf("transitions: %v", n)
	}
	if text(l, "metadata", "labels", "app.kubernetes.io/name") != "kubectl-safe-roll" || text(l, "metadata", "labels", "safe-roll.io/run") != "r1" {
		t.Errorf("labels: %v", text(l, "metadata", "labels"))
	}
}

// While the lock is renewed, a write beside it may find the journal taken over or
// gone. A renewal that succeeds then does not make it ours again.
func TestRenew_DoesNotTakeBackThatTheLockIsLost(t *testing.T) {
	for name, lose := range map[string]func(*shelf){
		"the journal is another's": func(s *shelf) {
			s.Edit(headPath, func(o fakeapi.Object) { o["data"].(fakeapi.Object)["writer"] = "another" })
		},
		"the journal is gone": func(s *shelf) { s.Remove(headPath) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			b := held(t, s, "a")
			arrived, answer := make(chan struct{}), make(chan struct{})
			s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
				if c.Path == leasePath && c.Method == http.MethodPut {
					close(arrived)
					return fakeapi.Fault{Delay: answer}
				}
				return fakeapi.Fault{}
			})
			renewed := make(chan error)
			go func() { renewed <- b.Renew(t.Context()) }()
			<-arrived
			lose(s)
			lost := b.Append(t.Context(), booktest.Intended(1))
			if !errors.Is(lost, record.ErrFenced) {
				t.Errorf("the append ended with %v", lost)
			}
			close(answer)
			if err := <-renewed; !errors.Is(err, record.ErrFenced) {
				t.Errorf("the renewal ended with %v", err)
			}
			if err := b.Guard(time.Second); !errors.Is(err, record.ErrFenced) {
				t.Errorf("the guard passes: %v", err)
			}
		})
	}
}

func TestRenew_DoesNotWaitForASlowAppend(t *testing.T) {
	s := newShelf(t)
	b := held(t, s, "a")
	arrived, answer := make(chan struct{}), make(chan struct{})
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if strings.HasPrefix(c.Path, mapsPath) && c.Method != http.MethodGet {
			close(arrived)
			s.Meddle(nil)
			return fakeapi.Fault{Delay: answer}
		}
		return fakeapi.Fault{}
	})
	written := make(chan error)
	go func() { written <- b.Append(t.Context(), booktest.Intended(1)) }()
	<-arrived
	if err := b.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	close(answer)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestRenew_AFailureKeepsTheOlderTime(t *testing.T) {
	s := newShelf(t)
	b := held(t, s, "a")
	s.advance(book.DefaultLeaseDuration / 2)
	s.Meddle(func(fakeapi.Call) fakeapi.Fault { return fakeapi.Fault{Lost: true} })
	if err := b.Renew(t.Context()); err == nil || errors.Is(err, record.ErrFenced) {
		t.Fatalf("got %v", err)
	}
	if err := b.Guard(book.DefaultLeaseDuration); !errors.Is(err, record.ErrExpiring) {
		t.Errorf("got %v", err)
	}
	if err := b.Guard(book.DefaultLeaseDuration / 2); err != nil {
		t.Error(err)
	}
}

func TestAcquire_AMissingRightIsNamedAndTheLockIsGivenBack(t *testing.T) {
	s := newShelf(t)
	no := `configmaps "safe-roll" is forbidden: User "jo" cannot get resource "configmaps" in API group "" in the namespace "kube-system"`
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Path == headPath {
			return fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden, no)}
		}
		return fakeapi.Fault{}
	})
	_, err := s.open("a").Acquire(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a right is missing") || !strings.Contains(err.Error(), no) {
		t.Errorf("got %v", err)
	}
	s.Meddle(nil)
	if _, err := s.open("b").Acquire(t.Context()); err != nil {
		t.Errorf("the lock was kept: %v", err)
	}
}

func TestNew_RefusesLimitsThatMakeNoSense(t *testing.T) {
	s := fakeapi.Start(t)
	cs, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*book.Config){
		"identity":             func(c *book.Config) { c.Identity = "" },
		"API server":           func(c *book.Config) { c.Clientset = nil },
		"whole seconds":        func(c *book.Config) { c.LeaseDuration = 1500 * time.Millisecond },
		"two request timeouts": func(c *book.Config) { c.LeaseDuration = 20 * time.Second },
		"negative":             func(c *book.Config) { c.SkewMargin = -1 },
		"16 to 262144 bytes":   func(c *book.Config) { c.SegmentBytes = 1 << 20 },
		"at least one segment": func(c *book.Config) { c.MaxSegments = -1 },
	} {
		c := book.Config{Clientset: cs, Identity: "a"}
		edit(&c)
		if _, err := book.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestLease_WhoseLockHadRunOutIsKnown(t *testing.T) {
	s := newShelf(t)
	if former := held(t, s, "a").Former(); former.Identity != "" {
		t.Errorf("the first one took over from %+v", former)
	}
	s.advance(2 * book.DefaultLeaseDuration)
	b := s.open("b")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := b.Former(); f.Identity != "a" || !f.Expires.Before(s.clock()) {
		t.Errorf("b took over from %+v", f)
	}
	if err := b.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := s.open("c")
	if _, err := c.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := c.Former(); f.Identity != "" {
		t.Errorf("b gave it back, and c took over from %+v", f)
	}
}
