// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// reading is what became of reading one kind.
type reading struct {
	// version is the list's resourceVersion, from which a watch goes on; empty
	// where the kind was not read.
	version string
	// items is how many objects there were.
	items int
	// missing: the server does not know the kind.
	missing bool
	// expired: the server forgot the list while it was being paged.
	expired bool
	// gap, where something could not be read.
	gap *cluster.Gap
	// silent is the error of a server that did not answer; the gap says so too.
	silent error
}

// limits of one reading.
type limits struct {
	request time.Duration
	page    int
}

// list reads every page of a source. All pages are of one moment: no
// resourceVersion is sent, so the first is a consistent read that began after
// the call, and the rest continue it.
func (c clients) list(ctx context.Context, s source, l limits, put func([]byte) error) reading {
	var next, version string
	problems, items, first := 0, 0, error(nil)
	for {
		p, err := c.page(ctx, s, l, next, put)
		if err != nil {
			return s.failed(err, l)
		}
		problems, items = problems+p.problems, items+p.items
		if first == nil {
			first = p.first
		}
		version, next = p.version, p.next
		if next == "" {
			break
		}
	}
	r := reading{version: version, items: items}
	if problems > 0 {
		g := s.gap(cluster.GapMalformed, fmt.Sprintf("%d objects of %s could not be decoded; the first: %v", problems, s.spelled(), first))
		r.gap = &g
	}
	return r
}

// page reads one page within the request's limit.
func (c clients) page(ctx context.Context, s source, l limits, next string, put func([]byte) error) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, l.request)
	defer cancel()
	req := c.request(s).Param("limit", strconv.Itoa(l.page))
	if next != "" {
		req = req.Param("continue", next)
	}
	body, err := req.Stream(ctx)
	if err != nil {
		return page{}, refusedOr(ctx, err)
	}
	defer func() { _ = body.Close() }() // it was read; there is nothing to lose
	p, err := readPage(body, put)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return p, err
}

// refusedOr returns the error, or the context's where that is the cause.
func refusedOr(ctx context.Context, err error) error {
	var status apierrors.APIStatus
	if ctx.Err() != nil && !errors.As(err, &status) {
		return ctx.Err()
	}
	return err
}

// failed words why a kind was not read.
func (s source) failed(err error, l limits) reading {
	gap := func(reason cluster.GapReason, detail string) *cluster.Gap {
		g := s.gap(reason, detail)
		return &g
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		words := status.Status().Message
		switch status.Status().Code {
		case http.StatusForbidden:
			return reading{gap: gap(cluster.GapForbidden, words)}
		case http.StatusNotFound:
			return reading{missing: true, gap: gap(cluster.GapMissing, "the server does not know "+s.spelled()+" in version "+s.Version)}
		case http.StatusGone:
			return reading{expired: true, gap: gap(cluster.GapFailed, "the list of "+s.spelled()+" expired while it was read: "+words)}
		case http.StatusUnauthorized:
			return reading{silent: fmt.Errorf("the server does not accept the credentials: %w", err), gap: gap(cluster.GapFailed, words)}
		default:
			return reading{gap: gap(cluster.GapFailed, words)}
		}
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return reading{gap: gap(cluster.GapTruncated, "the list of "+s.spelled()+" ended in the middle of an object")}
	case malformedAnswer(err):
		return reading{gap: gap(cluster.GapFailed, "the list of "+s.spelled()+" cannot be decoded: "+err.Error())}
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer for %s within the request limit of %s: %w", s.spelled(), l.request, err)
	default:
		err = fmt.Errorf("the server cannot be asked for %s: %w", s.spelled(), err)
	}
	return reading{silent: err, gap: gap(cluster.GapFailed, err.Error())}
}
