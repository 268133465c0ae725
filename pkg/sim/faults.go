// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Harm is what goes wrong with a call.
type Harm uint8

// The harms.
const (
	// Fine: nothing does.
	Fine Harm = iota
	// Kill ends the process: nothing that it does later has any effect.
	Kill
	// Doze stops the process as a whole for a while, and then it goes on.
	Doze
	// Conflicting, TooMany, Broken, Unavailable, Expired and Forbidden are
	// answers of an API server: 409, 429, 500, 503, 401, 403.
	Conflicting
	TooMany
	Broken
	Unavailable
	Expired
	Forbidden
	// Reset drops the connection, Timeout answers never.
	Reset
	Timeout
	harms
)

// Harms are those that an API server or the network can do.
func Harms() []Harm {
	var out []Harm
	for h := Conflicting; h < harms; h++ {
		out = append(out, h)
	}
	return out
}

// passes reports whether the harm is one that the same call may survive when
// it is tried again: credentials and rights do not come back by themselves.
func (h Harm) passes() bool { return h != Expired && h != Forbidden && h != Kill && h != Doze }

// Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	Harm Harm
	// After: the call takes effect, and then it goes wrong.
	After bool
	// Late, where it is longer than zero: the call takes effect that long
	// after the client has given it up.
	Late time.Duration
	// Lasts is how long a Doze is.
	Lasts time.Duration
}

// Call is one call of a process to its world, numbered from 1.
type Call struct {
	N int
	// What is the kind of call, such as "PATCH nodes" or "append".
	What string
}

// Errors of calls that went wrong.
var (
	ErrKilled = errors.New("the process was killed")
	ErrReset  = errors.New("read tcp: connection reset by peer")
)

// apply lets a request go wrong as the fault says. effect does what it asks
// for, under the world's lock.
func (f Fault) apply(r *http.Request, w *World, effect func() (int, any)) (*http.Response, error) {
	w.mu.Lock()
	w.catchUp()
	code, payload := 0, any(nil)
	switch {
	case f.Late > 0:
		w.after(f.Late, func() { effect() })
	case f.Harm == Fine, f.Harm == Doze, f.After:
		code, payload = effect()
		w.touched = w.touched || r.Method != http.MethodGet
		w.due()
	}
	w.mu.Unlock()
	switch f.Harm {
	case Fine, Doze: // which was slept off, where it was before the call
		return response(r, code, payload), nil
	case Timeout:
		return nil, waitFor(r.Context())
	case Conflicting, TooMany, Broken, Unavailable, Expired, Forbidden:
		code, reason := f.code()
		return response(r, code, status(code, reason, "so it goes")), nil
	default:
		return nil, ErrReset
	}
}

func (f Fault) code() (int, metav1.StatusReason) {
	switch f.Harm {
	case Conflicting:
		return http.StatusConflict, metav1.StatusReasonConflict
	case TooMany:
		return http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable
	case Expired:
		return http.StatusUnauthorized, metav1.StatusReasonUnauthorized
	case Forbidden:
		return http.StatusForbidden, metav1.StatusReasonForbidden
	default:
		return http.StatusInternalServerError, metav1.StatusReasonInternalError
	}
}

// err is the fault as an error of something that is not HTTP. What is not answered
// lasts until its limit, the caller's or its own.
func (f Fault) err(ctx context.Context, longest time.Duration) error {
	if f.Harm == Timeout {
		c, stop := context.WithTimeoutCause(ctx, longest, context.DeadlineExceeded)
		defer stop()
		return waitFor(c)
	}
	code, reason := f.code()
	return errors.New(string(reason) + " " + http.StatusText(code))
}
