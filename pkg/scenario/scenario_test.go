// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"testing"
)

func TestLost_OnlyCompleteCopiesOnDisksCount(t *testing.T) {
	sum := Sum([]byte("x"))
	e := Expected{"kept": sum, "blank": sum, "gone": sum}
	truth := Truth{
		"kept":  {{Node: "a", Sum: sum}, {Node: "a", Sum: sum}},
		"blank": {{Node: "a", Sum: ""}, {Node: "b", Sum: Sum([]byte("y"))}},
	}
	if got := truth.Lost(e); !slices.Equal(got, []string{"blank", "gone"}) {
		t.Errorf("Lost = %v", got)
	}
	if got := truth.Short(e, 2); !slices.Equal(got, []string{"blank", "gone", "kept"}) {
		t.Errorf("two copies on one node count once: Short = %v", got)
	}
}
