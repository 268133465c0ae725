// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// reconsider looks once more where a change was answered with a no. Whatever
// stands between us and the server may have sent it twice, and the second met the
// first: a way back that was dropped for that would leave our doing behind. Where
// the object is as it was to be, and its managedFields say that it is by us, the
// change is Uncertain, as it is where the object cannot be read. Without that it
// was somebody else, whose doing is not taken back.
func (st step) reconsider(ctx context.Context, c client, no decide.Outcome) decide.Outcome {
	o, err := c.get(ctx, st.path)
	switch {
	case err != nil && classify(err) == gone:
		return no
	case err != nil:
		no.Detail += "; what it is like now could not be read: " + words(err)
	case valueAt(o, []string{"metadata", "uid"}) != string(st.uid), !st.stands(o):
		return no
	default:
		no.Detail += "; and yet it is as it was to be"
	}
	no.Result = decide.Uncertain
	return no
}

// stands reports whether the object has the values of the patch, and from us.
func (st step) stands(o object) bool {
	d := json.NewDecoder(bytes.NewReader(st.patch))
	d.UseNumber()
	patch := object{}
	if d.Decode(&patch) != nil {
		return false
	}
	if meta, ok := patch["metadata"].(object); ok {
		delete(meta, "resourceVersion") // what the change was bound to
	}
	return alreadySo(o, patch) && weWrote(o, patch)
}

// weWrote reports whether managedFields name us as who set a value of the patch
// last.
func weWrote(o, patch object) bool {
	meta, _ := o["metadata"].(object)
	entries, _ := meta["managedFields"].([]any)
	for _, e := range entries {
		entry, _ := e.(object)
		fields, _ := entry["fieldsV1"].(object)
		if valueAt(entry, []string{"manager"}) == manager && owns(fields, patch) {
			return true
		}
	}
	return false
}

// owns reports whether the fields, as managedFields write them, have a value of
// the patch among them (FieldsV1: Kubernetes API, meta/v1).
func owns(fields, patch object) bool {
	for k, want := range patch {
		f, ok := fields["f:"+k].(object)
		if !ok {
			continue
		}
		if sub, deeper := want.(object); !deeper || owns(f, sub) {
			return true
		}
	}
	return false
}
