// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"slices"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// tolerates reports whether it tolerates a taint, written key=value:Effect
// (k8s.io/api core/v1 Toleration.ToleratesTaint).
func tolerates(t cluster.Toleration, taint string) bool {
	at := strings.LastIndex(taint, ":")
	key, value, _ := strings.Cut(taint[:max(at, 0)], "=")
	switch {
	case at < 0 || t.Effect != "" && t.Effect != taint[at+1:]:
		return false
	case t.Key == "" && t.Operator == "Exists":
		return true
	case t.Key != key:
		return false
	default:
		return t.Operator == "Exists" || t.Value == value
	}
}

// matches reports whether the node is one that the affinity asks for. A term
// without demands asks for no node at all.
func matches(a cluster.Affinity, n *cluster.Node) bool {
	return len(a) == 0 || slices.ContainsFunc(a, func(term []cluster.Demand) bool {
		return len(term) > 0 && !slices.ContainsFunc(term, func(d cluster.Demand) bool { return !met(d, n) })
	})
}

// met reports whether the node meets the demand; one that is not understood is
// not met.
func met(d cluster.Demand, n *cluster.Node) bool {
	have, ok := n.Labels[d.Key]
	if d.Field {
		have, ok = n.Ref.Name, d.Key == "metadata.name"
	}
	switch d.Operator {
	case "In":
		return ok && slices.Contains(d.Values, have)
	case "NotIn":
		return !ok || !slices.Contains(d.Values, have)
	case "Exists":
		return ok
	case "DoesNotExist":
		return !ok
	case "Gt", "Lt":
		return ok && compares(d, have)
	default:
		return false
	}
}

func compares(d cluster.Demand, have string) bool {
	if len(d.Values) != 1 {
		return false
	}
	a, err := strconv.ParseInt(have, 10, 64)
	b, wrong := strconv.ParseInt(d.Values[0], 10, 64)
	if err != nil || wrong != nil {
		return false
	}
	return d.Operator == "Gt" && a > b || d.Operator == "Lt" && a < b
}
