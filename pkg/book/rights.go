// SPDX-License-Identifier: Apache-2.0

package book

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

const (
	leaseGroup = "coordination.k8s.io"
	forReading = "to read the journal and who holds the lock"
	forWriting = "to hold the lock and write the journal"
)

// ReadRights are what Read asks for in that namespace. The segments have names
// that nobody knows before, so all ConfigMaps there are meant.
func ReadRights(namespace string) []cluster.Right {
	return []cluster.Right{
		{Group: leaseGroup, Resource: "leases", Verbs: []string{"get"}, Namespace: namespace, Name: Name, For: forReading},
		{Resource: "configmaps", Verbs: []string{"get", "list"}, Namespace: namespace, For: forReading},
	}
}

// WriteRights are what the rest of a Book asks for besides.
func WriteRights(namespace string) []cluster.Right {
	return []cluster.Right{
		{Group: leaseGroup, Resource: "leases", Verbs: []string{"create"}, Namespace: namespace, For: forWriting},
		{Group: leaseGroup, Resource: "leases", Verbs: []string{"update"}, Namespace: namespace, Name: Name, For: forWriting},
		{Resource: "configmaps", Verbs: []string{"create", "update", "delete"}, Namespace: namespace, For: forWriting},
	}
}
