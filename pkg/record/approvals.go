// SPDX-License-Identifier: Apache-2.0

package record

import (
	"context"
	"errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Approvals is where others than the one who writes a journal say that a turn
// may begin. It needs no lock.
type Approvals interface {
	// Approve says that the turn of that node of that roll may begin, and who
	// said so. ErrNoSuchRoll where the journal is of another roll.
	Approve(ctx context.Context, run string, node cluster.NodeRef, who string) error
	// Approved returns who approved the turn of that node, empty for nobody.
	Approved(ctx context.Context, run string, node cluster.NodeRef) (string, error)
}

// ErrNoSuchRoll is returned where a roll that is spoken of is not the one in
// flight.
var ErrNoSuchRoll = errors.New("that roll is not the one in flight")
