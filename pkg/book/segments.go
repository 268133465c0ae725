// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

const (
	keyFrom   = "from"
	keyEvents = "events"
	// perPage is how many segments one list request may bring: 640 KiB by
	// default.
	perPage = 10
)

func segmentName(run string, n int) string { return fmt.Sprintf("%s-%s-%d", Name, run, n) }

// segment returns the ConfigMap of a page; version is empty for a new one.
func (b *Book) segment(run string, p page, version string) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: segmentName(run, p.n), Namespace: b.cfg.Namespace, ResourceVersion: version},
		Data:       map[string]string{keyFrom: strconv.Itoa(p.from), keyEvents: p.text},
	}
	mark(&cm.ObjectMeta, run)
	cm.Labels[labelSegment] = strconv.Itoa(p.n)
	return cm
}

// contents is what was read of a journal.
type contents struct {
	events []record.Event
	tail   tail
	// version is the last segment's.
	version string
}

// load reads the journal that the head points to. What lies behind the head's
// end is nobody's: a writer died between segment and head, or lost its lock.
func (b *Book) load(ctx context.Context, h head) (contents, error) {
	if h.segments == 0 {
		return contents{}, nil
	}
	segs, err := b.segments(ctx, h.run)
	if err != nil {
		return contents{}, err
	}
	c, err := join(h, segs)
	if err != nil {
		return contents{}, fmt.Errorf("%w: roll %s: %w", ErrDamaged, h.run, err)
	}
	return c, nil
}

// segments lists the segments of a run, by number.
func (b *Book) segments(ctx context.Context, run string) (map[int]*corev1.ConfigMap, error) {
	listed, err := listSegments(ctx, b, labelRun+"="+run, func(cm *corev1.ConfigMap) *corev1.ConfigMap { return cm })
	found := map[int]*corev1.ConfigMap{}
	for _, cm := range listed {
		if n, err := strconv.Atoi(cm.Labels[labelSegment]); err == nil && cm.Name == segmentName(run, n) {
			found[n] = cm
		}
	}
	return found, err
}

// listSegments lists what is kept of our segments that the selector picks, page by
// page, by consistent reads. A list whose moment the server forgets between two
// pages is begun anew, a few times: what was read of it is of no moment.
func listSegments[T any](ctx context.Context, b *Book, selector string, keep func(*corev1.ConfigMap) T) ([]T, error) {
	opts := metav1.ListOptions{LabelSelector: labelName + "=" + ourName + "," + labelSegment + "," + selector, Limit: perPage}
	var kept []T
	for tries := 1; ; {
		list, err := b.list(ctx, opts)
		if opts.Continue != "" && expired(err) && tries < attempts {
			kept, opts.Continue = nil, ""
			tries++
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the journal's segments in %s: %w", b.cfg.Namespace, explain(err))
		}
		for i := range list.Items {
			kept = append(kept, keep(&list.Items[i]))
		}
		if list.Continue == "" {
			return kept, nil
		}
		opts.Continue = list.Continue
	}
}

func (b *Book) list(ctx context.Context, opts metav1.ListOptions) (*corev1.ConfigMapList, error) {
	return request(ctx, b, func(ctx context.Context) (*corev1.ConfigMapList, error) { return b.maps().List(ctx, opts) })
}

// join puts the stream together. Each segment says where it begins, so that
// what a fenced writer left at the end of a full one falls away.
func join(h head, segs map[int]*corev1.ConfigMap) (contents, error) {
	var stream []byte
	var last tail
	for n := 1; n <= h.segments; n++ {
		cm := segs[n]
		if cm == nil {
			return contents{}, fmt.Errorf("segment %d of %d is missing", n, h.segments)
		}
		end := h.bytes
		if n < h.segments {
			next := segs[n+1]
			if next == nil {
				return contents{}, fmt.Errorf("segment %d of %d is missing", n+1, h.segments)
			}
			end = fromOf(next)
		}
		text := cm.Data[keyEvents]
		size := end - len(stream)
		if fromOf(cm) != len(stream) || size < 0 || size > len(text) {
			return contents{}, fmt.Errorf("segment %d begins at %d and has %d bytes, but should reach from %d to %d",
				n, fromOf(cm), len(text), len(stream), end)
		}
		last = tail{n: n, from: len(stream), text: text[:size]}
		stream = append(stream, last.text...)
	}
	events, err := decode(stream, h.run, h.seq)
	if err != nil {
		return contents{}, err
	}
	return contents{events: events, tail: last, version: segs[h.segments].ResourceVersion}, nil
}

// fromOf returns where the segment says that it begins, or -1.
func fromOf(cm *corev1.ConfigMap) int {
	n, err := strconv.Atoi(cm.Data[keyFrom])
	if err != nil {
		return -1
	}
	return n
}

// Read returns the journal of the latest roll and who holds the lock. A new
// roll may begin while it reads; then it reads again.
func (b *Book) Read(ctx context.Context) (record.History, record.Holder, error) {
	l, err := b.readLease(ctx)
	if err != nil {
		return record.History{}, record.Holder{}, err
	}
	holder := holderOf(l, b.cfg.LeaseDuration)
	for try := 0; ; try++ {
		h, err := b.readHead(ctx)
		if err != nil {
			return record.History{}, holder, err
		}
		holder.Run = h.run
		c, err := b.load(ctx, h)
		if err == nil {
			return record.History{Events: c.events}, holder, nil
		}
		if !errors.Is(err, ErrDamaged) || try+1 == attempts {
			return record.History{}, holder, err
		}
		again, readErr := b.readHead(ctx)
		if readErr != nil || again.run == h.run {
			return record.History{}, holder, errors.Join(err, readErr)
		}
	}
}
