// SPDX-License-Identifier: Apache-2.0

package act

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// unmet returns what is not as expected, in one line, or "".
func unmet(o object, expect []cluster.Fact) string {
	for _, f := range expect {
		if got := valueAt(o, split(f.Name)); got != f.Value {
			return fmt.Sprintf("%s is %s and not %s", f.Name, quote(got), quote(f.Value))
		}
	}
	return ""
}

func quote(s string) string {
	if s == "" {
		return "absent"
	}
	return strconv.Quote(s)
}

// split takes a dotted path apart; a backslash keeps the dot that follows.
func split(path string) []string {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			b.WriteByte(path[i])
		case path[i] == '.':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(path[i])
		}
	}
	return append(parts, b.String())
}

// valueAt returns the value at the path as text: a string as it is, anything
// else as compact JSON, and "" for what is absent or null. A number steps into
// a list.
func valueAt(v any, path []string) string {
	for _, key := range path {
		switch in := v.(type) {
		case object:
			v = in[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(in) {
				return ""
			}
			v = in[n]
		default:
			return ""
		}
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(b)
	}
}

// valueless reports whether there is nothing but empty objects.
func valueless(v any) bool {
	o, isObject := v.(object)
	if v != nil && !isObject {
		return false
	}
	for _, sub := range o {
		if !valueless(sub) {
			return false
		}
	}
	return true
}

// alreadySo reports whether the merge patch would change no value; that an
// empty object comes or goes is no change.
func alreadySo(have any, patch object) bool {
	in, ok := have.(object)
	if !ok && have != nil {
		return false
	}
	for k, want := range patch {
		switch want := want.(type) {
		case nil:
			if !valueless(in[k]) {
				return false
			}
		case object:
			if !alreadySo(in[k], want) {
				return false
			}
		default:
			if valueAt(in, []string{k}) != valueAt(patch, []string{k}) {
				return false
			}
		}
	}
	return true
}
