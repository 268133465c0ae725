// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

type Placer struct{}

func (Placer) Place(s *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	return nil
}
