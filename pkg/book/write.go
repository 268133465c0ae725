// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
	for try := range patience {
		var cm *corev1.ConfigMap
		cm, last = b.put(ctx, b.segment(run, p, version))
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
		cm, now, err := b.find(ctx, segmentName(run, p.n))
		switch {
		case err != nil:
			if err := b.later(ctx, try, last, err); err != nil {
				return "", err
			}
			continue // at the version that we know: where the first one counts, this meets it
		case !now.same(b.desk.head):
			return "", b.takenOver(now)
		}
		version = ""
		if cm != nil {
			version = cm.ResourceVersion
		}
	}
	return "", fmt.Errorf("no success in %d tries: %w", patience, last)
}

// put creates or updates it; an update is for the version that it bears.
func (b *Book) put(ctx context.Context, cm *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	return request(ctx, b, func(ctx context.Context) (*corev1.ConfigMap, error) {
		if cm.ResourceVersion == "" {
			return b.maps().Create(ctx, cm, metav1.CreateOptions{FieldManager: ourName})
		}
		return b.maps().Update(ctx, cm, metav1.UpdateOptions{FieldManager: ourName})
	})
}

// readSegment returns the segment, or nil where there is none.
func (b *Book) readSegment(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	cm, err := request(ctx, b, func(ctx context.Context) (*corev1.ConfigMap, error) {
		return b.maps().Get(ctx, name, metav1.GetOptions{})
	})
	if err != nil && classify(err) == absent {
		return nil, nil
	}
	return cm, err
}

// find reads the segment, and the head after it.
func (b *Book) find(ctx context.Context, name string) (*corev1.ConfigMap, head, error) {
	cm, err := b.readSegment(ctx, name)
	if err != nil {
		return nil, head{}, err
	}
	now, err := b.readHead(ctx)
	return cm, now, err
}

// later waits where a look failed that may succeed the next time: an API server
// that restarts answers neither the write nor the question what came of it. It
// returns an error where trying again would not help, or at the end of ctx.
func (b *Book) later(ctx context.Context, try int, write, look error) error {
	both := errors.Join(write, look)
	if classify(look) != unknown || errors.Is(look, ErrDamaged) {
		return both
	}
	if err := b.pause(ctx, try); err != nil {
		return fmt.Errorf("%w (%w)", both, err)
	}
	return nil
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
