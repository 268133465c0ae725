// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// The defaults of Config, and the bounds of a segment.
const (
	DefaultNamespace      = "kube-system"
	DefaultLeaseDuration  = 60 * time.Second
	DefaultSkewMargin     = 10 * time.Second
	DefaultRequestTimeout = 10 * time.Second
	DefaultRetryPause     = 250 * time.Millisecond
	// DefaultSegmentBytes is small because every Append writes the last
	// segment anew: with 64 KiB that is 32 KiB on average.
	DefaultSegmentBytes = 64 << 10
	// DefaultMaxSegments bounds a journal to 32 MiB, some 50,000 events.
	DefaultMaxSegments = 512
	// MaxSegmentBytes is the most that a segment may be set to; a ConfigMap
	// holds 1 MiB.
	MaxSegmentBytes = 256 << 10
)

// attempts bounds how often one write is tried: a conflict or a lost answer
// needs a read and another try, and nothing in here goes on for ever.
const attempts = 5

// patience bounds how often a write of the journal is tried, and the look at what
// came of it: what ends it is rather the context. A roll that ends for a server
// that restarts leaves behind what it would have taken back.
const patience = 12

// longestPause is how often the pause doubles.
const longestPause = 3

// ErrNotHeld is returned by Append, Renew and Guard before Acquire and after
// Release.
var ErrNotHeld = errors.New("the lock is not held")

// ErrDamaged is returned by Read and Acquire when segments do not hold what
// the head says.
var ErrDamaged = errors.New("the journal is damaged")

// Config is what a Book needs. Zero durations and sizes get the defaults.
type Config struct {
	Clientset kubernetes.Interface
	// Namespace of the Lease and the ConfigMaps.
	Namespace string
	// Identity is who holds the lock, for people and for the lock. A live
	// lease of the same identity is taken over at once, so two processes must
	// not share one.
	Identity string
	// LeaseDuration is how long a renewal holds, in whole seconds.
	LeaseDuration time.Duration
	// SkewMargin is how long after its expiry another's lease is still left
	// alone, because it was written by another clock.
	SkewMargin time.Duration
	// RequestTimeout bounds one request. The lease must outlast two.
	RequestTimeout time.Duration
	// RetryPause is the first pause after a lost answer; it doubles, three times.
	RetryPause time.Duration
	// SegmentBytes and MaxSegments bound the journal: see doc.go.
	SegmentBytes int
	MaxSegments  int
	// Clock tells the time; nil is the machine's.
	Clock func() time.Time
	// Copy gets every line of the journal that this book writes, once it
	// counts; nil for nobody. Where it fails, so does Append.
	Copy io.Writer
}

// Book keeps a journal in a cluster. It implements record.Book. Its methods
// may be called concurrently: the lock is renewed beside the writing.
type Book struct {
	cfg Config

	// leasing and writing make operations on the lease and on the journal take
	// turns; state guards the fields that both look at, and is never held
	// during a request.
	leasing sync.Mutex
	writing sync.Mutex
	state   sync.Mutex

	hold hold   // under state
	run  string // under state: the run that the head names

	desk desk // under writing
}

// New returns a Book; it sends nothing. It fails where a limit makes no sense.
func New(cfg Config) (*Book, error) {
	if cfg.Clientset == nil {
		return nil, errors.New("the book needs a way to the API server")
	}
	if cfg.Identity == "" {
		return nil, errors.New("the book needs an identity to hold the lock under")
	}
	if cfg.Namespace == "" {
		cfg.Namespace = DefaultNamespace
	}
	orElse(&cfg.LeaseDuration, DefaultLeaseDuration)
	orElse(&cfg.SkewMargin, DefaultSkewMargin)
	orElse(&cfg.RequestTimeout, DefaultRequestTimeout)
	orElse(&cfg.RetryPause, DefaultRetryPause)
	orElse(&cfg.SegmentBytes, DefaultSegmentBytes)
	orElse(&cfg.MaxSegments, DefaultMaxSegments)
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	switch {
	case cfg.LeaseDuration < time.Second || cfg.LeaseDuration%time.Second != 0 || cfg.LeaseDuration > math.MaxInt32*time.Second:
		return nil, fmt.Errorf("the lease duration must be whole seconds, not %s", cfg.LeaseDuration)
	case cfg.LeaseDuration <= 2*cfg.RequestTimeout:
		return nil, fmt.Errorf("the lease duration of %s must be longer than two request timeouts of %s", cfg.LeaseDuration, cfg.RequestTimeout)
	case cfg.SkewMargin < 0 || cfg.RequestTimeout < 0 || cfg.RetryPause < 0:
		return nil, errors.New("the limits of the book cannot be negative")
	case cfg.SegmentBytes < 16 || cfg.SegmentBytes > MaxSegmentBytes:
		return nil, fmt.Errorf("a segment may have 16 to %d bytes, not %d", MaxSegmentBytes, cfg.SegmentBytes)
	case cfg.MaxSegments < 1:
		return nil, errors.New("a journal needs at least one segment")
	}
	return &Book{cfg: cfg}, nil
}

func orElse[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Guard returns record.ErrExpiring unless the lease lasts at least d from now,
// record.ErrFenced if it was lost, and ErrNotHeld if it was never taken.
func (b *Book) Guard(d time.Duration) error {
	b.state.Lock()
	defer b.state.Unlock()
	return b.hold.guard(b.cfg.Clock(), d)
}

// request sends one request, within the request timeout. Where the credentials are
// not accepted it is sent once more: it did nothing, and client-go gets new ones
// upon that answer and not before it (exec.go, token_source.go).
func request[T any](ctx context.Context, b *Book, send func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.cfg.RequestTimeout, fmt.Errorf("the request timeout of %s", b.cfg.RequestTimeout))
	defer cancel()
	v, err := send(ctx)
	if apierrors.IsUnauthorized(err) {
		v, err = send(ctx)
	}
	return v, err
}

// pause waits a little longer after every try that told nothing, up to a bound. It
// is the only waiting in this package and ends with ctx.
func (b *Book) pause(ctx context.Context, try int) error {
	d := b.cfg.RetryPause << min(try, longestPause)
	d += time.Duration(mathrand.Int64N(int64(d)/2 + 1)) // so that two writers do not keep step
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// newToken returns a name for one holding of the lock, unlike any other.
func newToken() string { return rand.Text() }

var _ record.Book = (*Book)(nil)
