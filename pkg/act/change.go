// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// mode says what it means that an object has the wanted values already.
type mode uint8

const (
	// impose sets what others set too. That it is so already is somebody
	// else's doing: the old values are not as expected.
	impose mode = iota
	// own sets what bears our own name: that it is so already is our doing.
	own
	// release takes back what bears our own name: it is fulfilled, and by an object
	// that is gone too.
	release
	// restore takes back what others set too: like release, but not where another
	// has set the same value since.
	restore
)

// back reports whether it takes back.
func (m mode) back() bool { return m == release || m == restore }

// step is a change whose preconditions were seen to hold.
type step struct {
	what    string
	path    []string
	patch   []byte
	delete  bool
	uid     types.UID
	version string
	says    string
}

// apply checks every change first and then makes them in order, each under the
// UID and version that were seen, so that what was checked is what is changed.
func apply(ctx context.Context, c client, changes []plugin.Change, m mode) (decide.Outcome, error) {
	var steps []step
	for _, ch := range changes {
		st, outcome, err := check(ctx, c, ch, m)
		if err != nil || outcome != nil {
			return deref(outcome), err
		}
		if st != nil {
			steps = append(steps, *st)
		}
	}
	if len(steps) == 0 {
		return decide.Outcome{Result: decide.Performed, Detail: "nothing to change: it is so already"}, nil
	}
	for i, st := range steps {
		outcome, err := st.make(ctx, c, m)
		if i > 0 && err == nil && outcome.Result != decide.Performed {
			// The changes before it stand, so it is not true that nothing changed.
			outcome = decide.Outcome{
				Result: decide.Uncertain,
				Detail: fmt.Sprintf("%d of %d changes were made; then %s", i, len(steps), outcome.Detail),
			}
		}
		if err != nil || outcome.Result != decide.Performed {
			return outcome, err
		}
	}
	said := make([]string, 0, len(steps))
	for _, st := range steps {
		said = append(said, st.says)
	}
	return decide.Outcome{Result: decide.Performed, Detail: strings.Join(said, "; ")}, nil
}

func deref(o *decide.Outcome) decide.Outcome {
	if o == nil {
		return decide.Outcome{}
	}
	return *o
}

func name(o plugin.Object) string {
	kind := strings.ToLower(o.Kind.Name)
	if kind == "" {
		kind = o.Kind.Resource
	}
	return kind + " " + o.Name
}

// check reads the object and compares it with what the change expects. It
// returns a step, or an outcome that ends the deed, or neither where there is
// nothing left to do.
func check(ctx context.Context, c client, ch plugin.Change, m mode) (*step, *decide.Outcome, error) {
	what := name(ch.Object)
	if ch.Object.UID == "" && len(ch.Expect) == 0 {
		return nil, nil, fmt.Errorf("the change of %s names no UID and pins no owner", what)
	}
	if ch.Delete == (len(ch.Patch) > 0) {
		return nil, nil, fmt.Errorf("the change of %s must be either a patch or a deletion", what)
	}
	p := path(ch.Object.Kind, ch.Object.Namespace, ch.Object.Name)
	o, err := c.get(ctx, p)
	absent := err != nil && classify(err) == gone
	if absent && (m.back() || ch.Delete) {
		return nil, nil, nil
	}
	if err != nil {
		outcome, err := beforeChange(what, err)
		return nil, &outcome, err
	}
	uid := valueAt(o, []string{"metadata", "uid"})
	if ch.Object.UID != "" && uid != string(ch.Object.UID) {
		if m.back() || ch.Delete {
			return nil, nil, nil // the one that was meant is gone
		}
		return nil, conflicting("%s is another one by now (UID %s, not %s)", what, uid, ch.Object.UID), nil
	}
	return compare(ch, m, o, p)
}

func conflicting(format string, args ...any) *decide.Outcome {
	return &decide.Outcome{Result: decide.Conflict, Detail: fmt.Sprintf(format, args...)}
}

// compare is the part of check that needs no server.
func compare(ch plugin.Change, m mode, o object, p []string) (*step, *decide.Outcome, error) {
	what := name(ch.Object)
	if ch.Delete {
		if why := unmet(o, ch.Expect); why != "" {
			return nil, conflicting("%s: %s", what, why), nil
		}
		return newStep(ch, o, p), nil, nil
	}
	patch, err := parsePatch(ch)
	if err != nil {
		return nil, nil, err
	}
	why := unmet(o, ch.Expect)
	so := alreadySo(o, patch)
	switch {
	case so && m != impose && ownerHolds(ch, o):
		return nil, nil, nil
	case so && why == "":
		return nil, nil, nil
	case why != "":
		return nil, conflicting("%s: %s", what, why), nil
	}
	if field, by := setSince(o, patch); m == restore && by != "" {
		return nil, conflicting("%s: %s was set by %s since", what, field, by), nil
	}
	st := newStep(ch, o, p)
	st.patch, err = bind(patch, st)
	return st, nil, err
}

// ownerHolds reports whether the object is the one that was meant: its UID was
// compared already, or else the expected facts of its metadata and owner hold.
// The others are old values, which a change that was made already has altered.
func ownerHolds(ch plugin.Change, o object) bool {
	if ch.Object.UID != "" {
		return true
	}
	var pins []cluster.Fact
	for _, f := range ch.Expect {
		if strings.HasPrefix(f.Name, "metadata.") {
			pins = append(pins, f)
		}
	}
	return len(pins) > 0 && unmet(o, pins) == ""
}

func newStep(ch plugin.Change, o object, p []string) *step {
	return &step{
		what: name(ch.Object), path: p, delete: ch.Delete, says: ch.Says,
		uid:     types.UID(valueAt(o, []string{"metadata", "uid"})),
		version: valueAt(o, []string{"metadata", "resourceVersion"}),
	}
}

func parsePatch(ch plugin.Change) (object, error) {
	d := json.NewDecoder(bytes.NewReader(ch.Patch))
	d.UseNumber()
	patch := object{}
	if err := d.Decode(&patch); err != nil {
		return nil, fmt.Errorf("the patch of %s: %w", name(ch.Object), err)
	}
	return patch, nil
}

// bind adds UID and version to the patch: the server refuses it for any other
// object, and for this one once it has changed.
func bind(patch object, st *step) ([]byte, error) {
	meta, ok := patch["metadata"].(object)
	if !ok {
		meta = object{}
		patch["metadata"] = meta
	}
	meta["uid"], meta["resourceVersion"] = string(st.uid), st.version
	b, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("the patch of %s: %w", st.what, err)
	}
	return b, nil
}

// make makes the change.
func (st step) make(ctx context.Context, c client, m mode) (decide.Outcome, error) {
	var err error
	if st.delete {
		err = c.delete(ctx, st.path, metav1.Preconditions{UID: &st.uid, ResourceVersion: &st.version})
	} else {
		err = c.patch(ctx, st.path, st.patch)
	}
	if err == nil || (st.delete || m.back()) && classify(err) == gone {
		return decide.Outcome{Result: decide.Performed, Detail: st.says}, nil
	}
	outcome, err := ofChange(st.what, err)
	if err == nil && !st.delete && !m.back() && outcome.Result != decide.Uncertain {
		outcome = st.reconsider(ctx, c, outcome)
	}
	return outcome, err
}
