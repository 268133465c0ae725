// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Survey reads every kind once, consistently, and returns what is known of the
// cluster without its volumes, and those of each storage as a sequence that
// makes them one by one: all of them at once do not fit everywhere. Nothing of
// it is kept for a later Observe, and no directory is looked into.
func (c *Cluster) Survey(ctx context.Context) (*cluster.Snapshot, []iter.Seq[cluster.Volume], error) {
	own := newCore()
	own.forVolumes = true
	st, err := c.look(ctx, own)
	if err != nil {
		return nil, nil, fmt.Errorf("the cluster cannot be read: %w", err)
	}
	clear(st.core.budgets) // they cover pods, of which few were kept
	s := st.begin(1)
	st.core = nil
	var volumes []iter.Seq[cluster.Volume]
	for _, r := range st.readers {
		facts, of, gaps := sequence(r)
		s.Storages = append(s.Storages, facts)
		s.Gaps = append(s.Gaps, gaps...)
		volumes = append(volumes, of)
	}
	return s, volumes, nil
}

// sequence asks a reader for its volumes one by one, or for all of them where
// it knows no better.
func sequence(r plugin.Reader) (cluster.Storage, iter.Seq[cluster.Volume], []cluster.Gap) {
	if s, ok := r.(plugin.Sequencer); ok {
		return s.Join()
	}
	facts, gaps := r.Storage()
	all := slices.Values(facts.Volumes)
	facts.Volumes = nil
	return facts, all, gaps
}
