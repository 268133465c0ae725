// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

const (
	// watchFor is how long a watch is asked to last; the server ends it then,
	// and it goes on from where it was.
	watchFor = 5 * time.Minute
	// watchLimit ends a watch that the server does not end.
	watchLimit = watchFor + time.Minute
)

// errRefused: the server does not let the kind be watched.
// errExpired: the watch cannot go on from where it was.
var (
	errRefused = errors.New("the kind may not be watched")
	errExpired = errors.New("the watch cannot go on from where it was")
)

// event is one event of a watch. Object is an object, or the Status of an error.
type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// watched is what is needed of an event's object before it is decoded.
type watched struct {
	Metadata struct {
		UID     cluster.UID `json:"uid"`
		Version string      `json:"resourceVersion"`
	} `json:"metadata"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// order is how far one stream of events has come: to the version of its last event,
// what that was, and of which object.
type order struct {
	version, kind string
	uid           cluster.UID
}

// next reports whether the event is a new one. The versions of one stream grow: the
// same event once more changes nothing, and one that is older than the last is of a
// stream that tells no present. It would bring back what is gone.
func (o *order) next(e event, w watched) (bool, error) {
	version := w.Metadata.Version
	if version == o.version && version != "" {
		if e.Type == "BOOKMARK" || o.kind == "" || o.kind == e.Type && o.uid == w.Metadata.UID {
			return false, nil
		}
		return false, fmt.Errorf("two events bear the version %s", version)
	}
	if later, known := newer(version, o.version); known && !later || version == "" {
		return false, fmt.Errorf("an event of version %q came after version %q", version, o.version)
	}
	*o = order{version: version, kind: e.Type, uid: w.Metadata.UID}
	return true, nil
}

// watch follows a source from a resourceVersion on until the server ends it,
// and returns the version from which it can go on. A nil error means that it
// ended as watches do.
func (c clients) watch(ctx context.Context, s source, version string, apply func(event, watched) error) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	body, err := c.request(s).Param("watch", "true").Param("resourceVersion", version).
		Param("allowWatchBookmarks", "true").
		Param("timeoutSeconds", strconv.Itoa(int(watchFor/time.Second))).Stream(ctx)
	if err != nil {
		return version, watchRefused(err)
	}
	defer func() { _ = body.Close() }() // nothing was written
	dec, at := json.NewDecoder(body), order{version: version}
	for {
		var e event
		if err := dec.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return version, nil
			}
			return version, fmt.Errorf("the watch of %s broke: %w", s.spelled(), err)
		}
		var w watched
		if err := json.Unmarshal(e.Object, &w); err != nil {
			return version, fmt.Errorf("the watch of %s broke: %w", s.spelled(), err)
		}
		if e.Type == "ERROR" {
			if w.Code == http.StatusGone {
				return version, errExpired
			}
			return version, fmt.Errorf("the watch of %s broke: %s", s.spelled(), w.Message)
		}
		fresh, err := at.next(e, w)
		if err == nil && fresh {
			err = apply(e, w)
		}
		if err != nil {
			return version, errors.Join(errExpired, fmt.Errorf("the watch of %s: %w", s.spelled(), err))
		}
		version = at.version
	}
}

func watchRefused(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	switch status.Status().Code {
	case http.StatusGone:
		return errExpired
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusUnauthorized:
		return errors.Join(errRefused, err)
	default:
		return err
	}
}
