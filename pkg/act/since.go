// SPDX-License-Identifier: Apache-2.0

package act

import (
	"slices"
	"strings"
)

// setSince names a value that the patch would change and who set it after us: what
// we set, somebody took back, and somebody set anew looks like ours and is not. A
// change of a value makes its manager the field's only owner, so that another owns
// it and we do not is the sign. Without managedFields there is none, and the value
// is taken for ours.
func setSince(o, patch object) (field, by string) {
	for _, path := range altered(o, patch, nil) {
		owners := ownersOf(o, path)
		if len(owners) > 0 && !slices.ContainsFunc(owners, maybeUs) {
			return strings.Join(path, "."), owners[0]
		}
	}
	return "", ""
}

// maybeUs reports whether an entry of that name may be by us. A server merges the
// oldest of many entries into one, and makes one of all that was there before an
// object's fields were tracked (apimachinery, managedfields/internal, capmanagers.go
// and skipnonapplied.go).
func maybeUs(name string) bool {
	return slices.Contains([]string{manager, "", "ancient-changes", "before-first-apply"}, name)
}

// altered returns the paths of the values that the merge patch would change.
func altered(have any, patch object, at []string) [][]string {
	in, _ := have.(object)
	var out [][]string
	for k, want := range patch {
		path := append(slices.Clone(at), k)
		if sub, deeper := want.(object); deeper {
			out = append(out, altered(in[k], sub, path)...)
		} else if !alreadySo(in, object{k: want}) {
			out = append(out, path)
		}
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// ownersOf returns the managers that own exactly the field at the path.
func ownersOf(o object, path []string) []string {
	meta, _ := o["metadata"].(object)
	entries, _ := meta["managedFields"].([]any)
	var out []string
	for _, e := range entries {
		entry, _ := e.(object)
		at := entry["fieldsV1"]
		for _, key := range path {
			fields, _ := at.(object)
			at = fields["f:"+key]
		}
		if _, owned := at.(object); owned {
			out = append(out, valueAt(entry, []string{"manager"}))
		}
	}
	return out
}
