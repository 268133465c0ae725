// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// desk is what the writer knows of the journal. It is valid from Acquire on.
type desk struct {
	head head
	tail tail
	// version is the last segment's; empty where there is none.
	version string
	// doubt is a batch whose head was sent and whose fate is not known.
	doubt *batch
	// sweeps is how often the segments of former runs may still be looked for.
	sweeps int
	// uncopied are the lines that count and are not in the copy yet.
	uncopied []string
}

// batch is what one Append writes.
type batch struct {
	lines []string
	head  head
	tail  tail
	pages []page
	// version of the last of the pages, once it is written.
	version string
}

// Append writes the events at the journal's end, all or none: the segments
// first, then the head, and nothing counts before the head points past it.
//
// It returns an error that wraps record.ErrExpiring if the lease does not last
// for one more request (Renew, then try again), record.ErrFenced if the
// journal is another's by now (the events count then only if they were written,
// the answer was lost, and the successor was faster than the second look),
// ErrFull at the journal's bound. After any other error it is not known
// whether the events count; the next Append finds that out first, and a History
// read later tells. Give it a context that outlives the first interruption, or
// an outcome is lost.
func (b *Book) Append(ctx context.Context, events ...record.Event) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := b.Guard(b.cfg.RequestTimeout); err != nil {
		return err
	}
	if len(events) == 0 {
		return nil
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	n, err := b.compose(events)
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	for _, p := range n.pages {
		if n.version, err = b.writePage(ctx, n.head.run, p); err != nil {
			return fmt.Errorf("write segment %d of the journal: %w", p.n, err)
		}
	}
	if err := b.commit(ctx, n); err != nil {
		return fmt.Errorf("write the head of the journal: %w", err)
	}
	b.sweep(ctx)
	return b.copied()
}

// copied adds what counts to the copy of the journal, if there is one.
func (b *Book) copied() error {
	lines := strings.Join(b.desk.uncopied, "")
	b.desk.uncopied = nil
	if b.cfg.Copy == nil {
		return nil
	}
	if _, err := io.WriteString(b.cfg.Copy, lines); err != nil {
		return fmt.Errorf("the copy of the journal: %w", err)
	}
	return nil
}

// compose works out what the journal looks like with the events.
func (b *Book) compose(events []record.Event) (batch, error) {
	h, lines, err := b.desk.head.after(events)
	if err != nil {
		return batch{}, err
	}
	t := b.desk.tail
	if h.run != b.desk.head.run {
		t = tail{}
	}
	t, pages := t.add(lines, b.cfg.SegmentBytes)
	if err := fits(t.n, b.cfg.MaxSegments, events); err != nil {
		return batch{}, err
	}
	h.segments, h.bytes = t.n, t.end()
	return batch{lines: lines, head: h, tail: t, pages: pages}, nil
}

// writePage writes one segment at the version that we know. Whenever that is
// not the server's, the segment is read first and the head after it: if the
// head is still ours then, nobody had taken over when the segment was read, so
// what the version protects is our own or nobody's.
//
// It returns the segment's new version. The version of the last segment that
// counts is kept as well: should the batch never count, that segment is written
// again.
func (b *Book) writePage(ctx context.Context, run string, p page) (string, error) {
	version := ""
	known := p.n == b.desk.tail.n && run == b.desk.head.run
	if known {
		version = b.desk.version
	}
	var last error
	for try := range attempts {
		var cm *corev1.ConfigMap
		cm, last = b.putSegment(ctx, b.segment(run, p, version))
		if last == nil {
			if known {
				b.desk.version = cm.ResourceVersion
			}
			return cm.ResourceVersion, nil
		}
		if classify(last) == fatal {
			return "", explain(last)
		}
		if classify(last) == unknown {
			if err := b.pause(ctx, try); err != nil {
				return "", fmt.Errorf("%w (%w)", last, err)
			}
		}
		cm, err := b.readSegment(ctx, segmentName(run, p.n))
		if err != nil {
			return "", errors.Join(last, err)
		}
		if err := b.stillOurs(ctx); err != nil {
			return "", err
		}
		version = ""
		if cm != nil {
			version = cm.ResourceVersion
		}
	}
	return "", fmt.Errorf("no success in %d tries: %w", attempts, last)
}

func (b *Book) putSegment(ctx context.Context, cm *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	ctx, cancel := b.request(ctx)
	defer cancel()
	if cm.ResourceVersion == "" {
		return b.maps().Create(ctx, cm, metav1.CreateOptions{FieldManager: ourName})
	}
	return b.maps().Update(ctx, cm, metav1.UpdateOptions{FieldManager: ourName})
}

// readSegment returns the segment, or nil where there is none.
func (b *Book) readSegment(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	ctx, cancel := b.request(ctx)
	defer cancel()
	cm, err := b.maps().Get(ctx, name, metav1.GetOptions{})
	if err != nil && classify(err) == absent {
		return nil, nil
	}
	return cm, err
}

// stillOurs reads the head and fails unless it is as we left it.
func (b *Book) stillOurs(ctx context.Context) error {
	h, err := b.readHead(ctx)
	if err != nil {
		return err
	}
	if !h.same(b.desk.head) {
		return b.takenOver(h)
	}
	return nil
}

// takenOver notes that the journal is another's.
func (b *Book) takenOver(h head) error {
	if h.cm == nil {
		return b.deleted(record.ErrJournalGone, fmt.Sprintf("the ConfigMap %s/%s is not there any more", b.cfg.Namespace, Name))
	}
	return b.lose(fmt.Sprintf("the journal was taken over by %s (epoch %d, ours was %d)", nobodyOr(h.holder), h.epoch, b.desk.head.epoch))
}

// commit swaps the head, which makes the batch count.
func (b *Book) commit(ctx context.Context, n batch) error {
	b.desk.doubt = &n
	h := n.head
	h.cm = b.desk.head.cm
	var last error
	for try := range attempts {
		var now head
		now, last = b.swap(ctx, h)
		if last == nil {
			b.adopt(n, now)
			return nil
		}
		if classify(last) == fatal && try == 0 {
			b.desk.doubt = nil // refused outright: it did not happen and will not
			return explain(last)
		}
		if classify(last) == unknown {
			if err := b.pause(ctx, try); err != nil {
				return fmt.Errorf("%w (%w)", last, err)
			}
		}
		now, err := b.readHead(ctx)
		switch {
		case err != nil:
			return errors.Join(last, err)
		case now.same(n.head):
			b.adopt(n, now) // the answer was lost; the effect was not
			return nil
		case !now.same(b.desk.head):
			return b.takenOver(now)
		}
		h.cm = now.cm // somebody changed what is not ours: keep it
	}
	return fmt.Errorf("no success in %d tries: %w", attempts, last)
}

// adopt makes the batch what the writer knows.
func (b *Book) adopt(n batch, now head) {
	n.head.cm, n.head.barrier = now.cm, now.barrier
	if n.head.run != b.desk.head.run {
		b.desk.sweeps = sweepTries
	}
	b.desk.head, b.desk.tail, b.desk.version, b.desk.doubt = n.head, n.tail, n.version, nil
	b.desk.uncopied = append(b.desk.uncopied, n.lines...)
	b.setRun(n.head.run)
}

// settle finds out what came of a batch in doubt. One that did not count yet
// could still arrive late and count then, over segments that were written
// anew; so the head's version is moved, after which it cannot.
func (b *Book) settle(ctx context.Context) error {
	if b.desk.doubt == nil {
		return nil
	}
	var last error
	for try := range attempts {
		now, err := b.readHead(ctx)
		if err != nil {
			return fmt.Errorf("find out whether the journal was written: %w", err)
		}
		if now.same(b.desk.doubt.head) {
			b.adopt(*b.desk.doubt, now)
			return nil
		}
		if !now.same(b.desk.head) {
			return b.takenOver(now)
		}
		now.barrier++
		now, last = b.swap(ctx, now)
		if last == nil {
			b.desk.head.cm, b.desk.head.barrier, b.desk.doubt = now.cm, now.barrier, nil
			return nil
		}
		if classify(last) == fatal {
			return fmt.Errorf("find out whether the journal was written: %w", explain(last))
		}
		if classify(last) == unknown {
			if err := b.pause(ctx, try); err != nil {
				return fmt.Errorf("find out whether the journal was written: %w (%w)", last, err)
			}
		}
	}
	return fmt.Errorf("find out whether the journal was written: no success in %d tries: %w", attempts, last)
}
