// SPDX-License-Identifier: Apache-2.0

package cluster

import "strings"

// NamesNode reports whether a label stands for a single node: the hostname, and
// what drivers of local volumes use in its place (such as
// topology.topolvm.io/node, openebs.io/nodename or openebs.io/nodeid).
func NamesNode(label string) bool {
	last := strings.ToLower(label[strings.LastIndex(label, "/")+1:])
	switch strings.NewReplacer("-", "", "_", "").Replace(last) {
	case "hostname", "host", "node", "nodename", "nodeid":
		return true
	default:
		return false
	}
}

// Toleration is one toleration of a pod, as Kubernetes writes it: an empty key
// with the operator Exists tolerates everything.
type Toleration struct {
	Key      string `json:"key"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
	Effect   string `json:"effect"`
}

// Affinity is what a pod requires of its node: one of the terms, each with all
// of its demands. None at all asks for nothing.
type Affinity [][]Demand

// Demand is one demand on a node's label, or on its name where Field is set.
type Demand struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
	Field    bool     `json:"-"`
}
