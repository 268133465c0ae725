// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

const (
	leasePath = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/safe-roll"
	mapsPath  = "/api/v1/namespaces/kube-system/configmaps/"
	headPath  = mapsPath + "safe-roll"
)

// shelf is a server with books on it and one clock for all of them.
type shelf struct {
	*fakeapi.Server
	t    *testing.T
	edit func(*book.Config)

	mu  sync.Mutex
	now time.Time
}

func newShelf(t *testing.T, edit ...func(*book.Config)) *shelf {
	t.Helper()
	s := &shelf{Server: fakeapi.Start(t), t: t, edit: func(*book.Config) {}, now: time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)}
	if len(edit) > 0 {
		s.edit = edit[0]
	}
	return s
}

func (s *shelf) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shelf) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *shelf) open(identity string) *book.Book { return s.openWith(identity, s.edit) }

func (s *shelf) openWith(identity string, edit func(*book.Config)) *book.Book {
	s.t.Helper()
	rc := s.Config()
	rc.WrapTransport = func(rt http.RoundTripper) http.RoundTripper { return blunt{rt} }
	cs, err := kubernetes.NewForConfig(rc)
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := book.Config{
		Clientset: cs, Identity: identity, Clock: s.clock, SegmentBytes: 700,
		RequestTimeout: 5 * time.Second, RetryPause: time.Millisecond,
	}
	edit(&cfg)
	b, err := book.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// blunt words a lost connection so that client-go does not see it: it would
// repeat a read after a second, and these tests lose thousands.
type blunt struct{ http.RoundTripper }

func (b blunt) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, errLost
	}
	return res, nil
}

var errLost = errors.New("no answer")

func TestBook_KeepsTheClaimsOfEveryBook(t *testing.T) {
	booktest.Run(t, func(t *testing.T) booktest.Shelf {
		s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 2000; c.MaxSegments = 100_000 })
		return booktest.Shelf{
			Open:    func(identity string) record.Book { return s.open(identity) },
			Advance: s.advance, Lease: book.DefaultLeaseDuration, TakeOver: book.DefaultLeaseDuration + book.DefaultSkewMargin,
		}
	})
}

func TestInMemory_KeepsTheClaimsOfEveryBook(t *testing.T) {
	booktest.Run(t, func(*testing.T) booktest.Shelf {
		now := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
		m := book.NewInMemory(time.Minute, func() time.Time { return now })
		return booktest.Shelf{
			Open: m.Open, Advance: func(d time.Duration) { now = now.Add(d) }, Lease: time.Minute, TakeOver: time.Minute,
		}
	})
}
