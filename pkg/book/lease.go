// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Name is the name of the Lease, of the head ConfigMap, and the beginning of
// the segments' names.
const Name = "safe-roll"

const (
	labelName = "app.kubernetes.io/name"
	ourName   = "kubectl-safe-roll"
	labelRun  = "safe-roll.io/run"
	// labelSegment is on segments alone.
	labelSegment = "safe-roll.io/segment"
	// tokenKey is the annotation by which a holder knows its own lease.
	tokenKey = "safe-roll.io/holding"
)

func (b *Book) leases() coordination.LeaseInterface {
	return b.cfg.Clientset.CoordinationV1().Leases(b.cfg.Namespace)
}

// readLease returns the lease, or nil where there is none.
func (b *Book) readLease(ctx context.Context) (*coordinationv1.Lease, error) {
	l, err := request(ctx, b, func(ctx context.Context) (*coordinationv1.Lease, error) {
		return b.leases().Get(ctx, Name, metav1.GetOptions{})
	})
	switch {
	case err == nil:
		return l, nil
	case classify(err) == absent:
		return nil, nil
	default:
		return nil, fmt.Errorf("read the Lease %s/%s: %w", b.cfg.Namespace, Name, explain(err))
	}
}

// writeLease creates or updates it; an update carries the version it was read at.
func (b *Book) writeLease(ctx context.Context, l *coordinationv1.Lease) error {
	_, err := request(ctx, b, func(ctx context.Context) (*coordinationv1.Lease, error) {
		if l.ResourceVersion == "" {
			return b.leases().Create(ctx, l, metav1.CreateOptions{FieldManager: ourName})
		}
		return b.leases().Update(ctx, l, metav1.UpdateOptions{FieldManager: ourName})
	})
	return err
}

// takeLease takes the lease unless it is another's and live.
func (b *Book) takeLease(ctx context.Context) error {
	token := newToken()
	var last error
	var former record.Holder
	for try := range attempts {
		l, err := b.readLease(ctx)
		if err != nil {
			return err
		}
		if l != nil && l.Annotations[tokenKey] == token {
			// The answer to an earlier try was lost; its effect was not. It
			// counts from when it was sent.
			b.setHold(hold{held: true, token: token, renewed: holderOf(l, 0).Renewed, duration: b.cfg.LeaseDuration, former: former})
			return nil
		}
		now := b.cfg.Clock()
		if former = holderOf(l, b.cfg.LeaseDuration); former.Identity == b.cfg.Identity {
			former = record.Holder{} // ourselves
		}
		if former.Identity != "" && now.Before(former.Expires.Add(b.cfg.SkewMargin)) {
			return b.heldBy(ctx, former, now)
		}
		last = b.writeLease(ctx, b.taken(l, token, now))
		switch {
		case last == nil:
			b.setHold(hold{held: true, token: token, renewed: now, duration: b.cfg.LeaseDuration, former: former})
			return nil
		case classify(last) == fatal, classify(last) == absent && l == nil: // no such namespace
			return fmt.Errorf("take the Lease %s/%s: %w", b.cfg.Namespace, Name, explain(last))
		case classify(last) == unknown:
			if err := b.pause(ctx, try); err != nil {
				return fmt.Errorf("take the Lease %s/%s: %w (%w)", b.cfg.Namespace, Name, last, err)
			}
		}
	}
	return fmt.Errorf("take the Lease %s/%s: no success in %d tries: %w", b.cfg.Namespace, Name, attempts, last)
}

// taken returns the lease as ours; l is what was read, or nil.
func (b *Book) taken(l *coordinationv1.Lease, token string, now time.Time) *coordinationv1.Lease {
	transitions := int32(0)
	if l == nil {
		l = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: Name, Namespace: b.cfg.Namespace}}
	} else if l.Spec.LeaseTransitions != nil {
		transitions = *l.Spec.LeaseTransitions + 1
	} else {
		transitions = 1
	}
	mark(&l.ObjectMeta, l.Labels[labelRun])
	if l.Annotations == nil {
		l.Annotations = map[string]string{}
	}
	l.Annotations[tokenKey] = token
	at, seconds := metav1.NewMicroTime(now), int32(b.cfg.LeaseDuration/time.Second)
	l.Spec.HolderIdentity = &b.cfg.Identity
	l.Spec.AcquireTime, l.Spec.RenewTime = &at, &at
	l.Spec.LeaseDurationSeconds, l.Spec.LeaseTransitions = &seconds, &transitions
	return l
}

// mark puts our labels on an object.
func mark(m *metav1.ObjectMeta, run string) {
	if m.Labels == nil {
		m.Labels = map[string]string{}
	}
	m.Labels[labelName] = ourName
	if run != "" {
		m.Labels[labelRun] = run
	}
}

// holderOf reads who holds the lease. A time that is missing is replaced by
// the next older one: a holder is never taken for dead because of a gap.
func holderOf(l *coordinationv1.Lease, fallback time.Duration) record.Holder {
	var h record.Holder
	if l == nil || l.Spec.HolderIdentity == nil || *l.Spec.HolderIdentity == "" {
		return h
	}
	h.Identity, h.Since = *l.Spec.HolderIdentity, l.CreationTimestamp.Time
	if l.Spec.AcquireTime != nil {
		h.Since = l.Spec.AcquireTime.Time
	}
	h.Renewed = h.Since
	if l.Spec.RenewTime != nil {
		h.Renewed = l.Spec.RenewTime.Time
	}
	if l.Spec.LeaseDurationSeconds != nil {
		fallback = time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second
	}
	h.Expires = h.Renewed.Add(fallback)
	return h
}

// heldBy says who is at work, since when, and at what.
func (b *Book) heldBy(ctx context.Context, h record.Holder, now time.Time) error {
	doing := "no roll has been started yet"
	if at, err := b.readHead(ctx); err != nil {
		doing = "what it does could not be read: " + err.Error()
	} else if at.run != "" {
		doing = at.doing()
	}
	hint := ""
	if ahead := h.Renewed.Sub(now); ahead > b.cfg.SkewMargin {
		hint = fmt.Sprintf("; its clock is %s ahead of ours, one of them is wrong", ahead.Round(time.Second))
	}
	return fmt.Errorf("%w: %s, since %s, renewed %s ago, may be taken over in %s%s; %s", record.ErrHeld, h.Identity,
		h.Since.UTC().Format(time.RFC3339), max(now.Sub(h.Renewed), 0).Round(time.Second),
		h.Expires.Add(b.cfg.SkewMargin).Sub(now).Round(time.Second), hint, doing)
}

// Renew prolongs the lease, also one that has run out without anybody having
// taken it. It returns an error that wraps record.ErrFenced where it is
// another's or gone, and then the lock stays lost. Any other error leaves the
// lease to run out at its time.
func (b *Book) Renew(ctx context.Context) error {
	b.leasing.Lock()
	defer b.leasing.Unlock()
	h := b.holding()
	if h.lost != nil {
		return h.lost
	}
	if !h.held {
		return ErrNotHeld
	}
	now := b.cfg.Clock()
	err := b.editLease(ctx, h.token, func(l *coordinationv1.Lease) {
		at := metav1.NewMicroTime(now)
		l.Spec.RenewTime = &at
		mark(&l.ObjectMeta, b.currentRun())
	})
	if err != nil {
		return err
	}
	return b.renewed(h.token, now)
}

// editLease changes the lease that bears the token; record.ErrFenced if none does.
func (b *Book) editLease(ctx context.Context, token string, edit func(*coordinationv1.Lease)) error {
	var last error
	for try := range attempts {
		l, err := b.ownLease(ctx, token)
		if err != nil {
			return err
		}
		edit(l)
		last = b.writeLease(ctx, l)
		switch {
		case last == nil:
			return nil
		case classify(last) == fatal:
			return fmt.Errorf("renew the Lease %s/%s: %w", b.cfg.Namespace, Name, explain(last))
		case classify(last) == unknown:
			if err := b.pause(ctx, try); err != nil {
				return fmt.Errorf("renew the Lease %s/%s: %w (%w)", b.cfg.Namespace, Name, last, err)
			}
		}
	}
	return fmt.Errorf("renew the Lease %s/%s: no success in %d tries: %w", b.cfg.Namespace, Name, attempts, last)
}

// ownLease reads the lease and fails if it is not the one that we took.
func (b *Book) ownLease(ctx context.Context, token string) (*coordinationv1.Lease, error) {
	l, err := b.readLease(ctx)
	switch {
	case err != nil:
		return nil, err
	case l == nil:
		return nil, b.deleted(record.ErrLockGone, fmt.Sprintf("the Lease %s/%s is not there any more", b.cfg.Namespace, Name))
	case l.Annotations[tokenKey] != token:
		return nil, b.lose("the lock is held by " + nobodyOr(holderOf(l, 0).Identity))
	default:
		return l, nil
	}
}

func nobodyOr(identity string) string {
	if identity == "" {
		return "nobody: it was given back"
	}
	return identity
}
