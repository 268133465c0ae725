// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// setMap replaces a map if it differs.
func setMap[V comparable](m *Model, o Object, field *map[string]V, value map[string]V) {
	if maps.Equal(*field, value) {
		return
	}
	*field = maps.Clone(value)
	m.touch(o)
}

// keys returns the keys in their order.
func keys[V any](of map[string]V) []string {
	out := make([]string, 0, len(of))
	for k := range of {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// uidOf is a UID that depends on nothing but the name.
func uidOf(name string) types.UID {
	h := checksum(name, 32)
	return types.UID(fmt.Sprintf("%s-%s-4%s-a%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:32]))
}
