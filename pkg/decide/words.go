// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Many says a number with its noun, in the plural where it needs one.
func Many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if y, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, y)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// namedPods is how many pods a line names; the others are counted.
const namedPods = 3

// leaving says which of so many pods are asked to leave a node, by name: whose
// work stands still for a moment is what people ask first.
func leaving(batch []cluster.PodRef, all int, what, node string) string {
	who := Many(len(batch), what)
	if len(batch) < all {
		who = fmt.Sprintf("%d of %s", len(batch), Many(all, what))
	}
	verb := "leave"
	if len(batch) == 1 {
		verb = "leaves"
	}
	var names []string
	for _, p := range batch[:min(len(batch), namedPods)] {
		names = append(names, p.Namespace+"/"+p.Name)
	}
	more := ""
	if n := len(batch) - namedPods; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return who + " " + verb + " " + node + ": " + strings.Join(names, ", ") + more
}

// fitNowhere says how many of the replicas on a node have no other place.
func fitNowhere(stuck, moving int) string {
	if moving == 1 {
		return "the one replica on it fits nowhere else"
	}
	return fmt.Sprintf("%d of %d replicas on it fit nowhere else", stuck, moving)
}
