// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// desk is what the writer knows of the journal. It is valid from Acquire on.
type desk struct {
	head head
	tail tail
	// version is the last segment's; empty where there is none.
	version string
	// had is how many segments the journal had when the lock was taken.
	had int
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
// record.ErrFull at the journal's bound, where nothing was written, and record.ErrOutage
// if nobody answered. After that and any other error it is not known whether the events
// count; the next Append finds that out first, and a History
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
		return outage(err)
	}
	n, err := b.compose(events)
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	for _, p := range n.pages {
		if n.version, err = b.writePage(ctx, n.head.run, p); err != nil {
			return outage(fmt.Errorf("write segment %d of the journal: %w", p.n, err))
		}
	}
	if err := b.commit(ctx, n); err != nil {
		return outage(fmt.Errorf("write the head of the journal: %w", err))
	}
	b.sweep(ctx)
	return b.copied()
}

// outage says of an error that it passes by itself, where it does: nobody answered, or
// the server said that it cannot now.
func outage(err error) error {
	if classify(err) == fatal || errors.Is(err, record.ErrFenced) || errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", record.ErrOutage, err)
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
	t, had := b.desk.tail, b.desk.had
	if h.run != b.desk.head.run {
		t, had = tail{}, 0
	}
	t, pages := t.add(lines, b.cfg.SegmentBytes)
	if err := (bounds{b.cfg.MaxSegments, had}).fits(t.n, events); err != nil {
		return batch{}, err
	}
	h.segments, h.bytes = t.n, t.end()
	return batch{lines: lines, head: h, tail: t, pages: pages}, nil
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
	for try := range patience {
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
			if err := b.later(ctx, try, last, err); err != nil {
				return err
			}
			continue
		case now.same(n.head):
			b.adopt(n, now) // the answer was lost; the effect was not
			return nil
		case !now.same(b.desk.head):
			return b.takenOver(now)
		case classify(last) == fatal:
			return explain(last) // an earlier try may still arrive
		}
		h.cm = now.cm // somebody changed what is not ours: keep it
	}
	return fmt.Errorf("no success in %d tries: %w", patience, last)
}

// adopt makes the batch what the writer knows.
func (b *Book) adopt(n batch, now head) {
	n.head.cm, n.head.barrier = now.cm, now.barrier
	if n.head.run != b.desk.head.run {
		b.desk.sweeps, b.desk.had = sweepTries, 0
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
	for try := range patience {
		now, err := b.readHead(ctx)
		if err != nil {
			if err := b.later(ctx, try, last, err); err != nil {
				return fmt.Errorf("find out whether the journal was written: %w", err)
			}
			last = err
			continue
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
	return fmt.Errorf("find out whether the journal was written: no success in %d tries: %w", patience, last)
}
