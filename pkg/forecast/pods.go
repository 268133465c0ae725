// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Pods says of the pods on a node that fit on no other node why, by UID.
func Pods(s *cluster.Snapshot, node string) map[cluster.UID]string {
	return nil
}
