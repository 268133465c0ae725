// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// remember adds what the journal of the latest roll knows and no object shows:
// which machines are gone for good, whatever has their name now, and which
// directories were missing, whatever is in them now.
func (c *connection) remember(ctx context.Context, s *cluster.Snapshot) *cluster.Snapshot {
	h, _, err := c.read(ctx)
	return remembering(s, h, err)
}

// remembering is the snapshot with what the journal tells, or with the gap that
// it was not read.
func remembering(s *cluster.Snapshot, h record.History, err error) *cluster.Snapshot {
	known := *s
	if err != nil {
		why := cluster.GapFailed
		if apierrors.IsForbidden(err) {
			why = cluster.GapForbidden
		}
		known.Gaps = append(known.Gaps[:len(known.Gaps):len(known.Gaps)], cluster.Gap{Kind: "the journal of rolls", Reason: why, Detail: err.Error()})
		return &known
	}
	_, m := record.Replay(h)
	known.Retired, known.Missing = m.Retired(), m.Missing
	return &known
}
