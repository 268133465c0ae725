// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// busy is a world in which other people do things after some looks.
type busy struct {
	*toy
	meddle func(looks int, s *cluster.Snapshot)
}

func (w busy) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		w.meddle(w.looks, s)
	}
	return s, err
}

func TestRun_WhatOthersDoIsWrittenDownAndWhatWeDoIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p := propose(t, w, c)
		b := &shelf{}
		cfg := config(w, b, &p)
		began := w.looks
		cfg.World = busy{w, func(looks int, s *cluster.Snapshot) {
			s.Storages[0].Settings = []cluster.Fact{{Name: "limit", Value: "5"}}
			if looks > began+5 {
				s.Storages[0].Settings[0].Value = "0"
			}
			if looks > began+7 {
				s.Nodes = append(s.Nodes, cluster.Node{
					Ref: cluster.NodeRef{Name: "zz", UID: "zz"}, Ready: cluster.Yes, Cordoned: looks > began+9,
					LeaseRenewed: s.Look.Began, LeaseDuration: 40 * time.Second,
				})
				if looks == began+11 {
					s.Nodes[len(s.Nodes)-1].Taints = []string{"ToBeDeletedByClusterAutoscaler=1:NoSchedule", "other=:NoSchedule"}
				}
			}
		}}
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		said := ""
		for _, e := range b.events {
			if e.Kind == record.Noticed {
				said += e.Text + "\n"
			}
		}
		for _, want := range []string{`setting limit from "5" to "0"`, "node zz (UID zz) joined", "somebody cordoned node zz",
			"somebody marked node zz with ToBeDeletedByClusterAutoscaler: the cluster autoscaler is about to delete it",
			"the mark ToBeDeletedByClusterAutoscaler on node zz is gone"} {
			if !strings.Contains(said, want) {
				t.Errorf("not noticed: %s\n%s", want, said)
			}
		}
		for _, not := range []string{"cordoned node worker", "storage node"} {
			if strings.Contains(said, not) {
				t.Errorf("taken for another's doing: %s\n%s", not, said)
			}
		}
	})
}

func TestRun_NoNodeIsSaidToBeGoneBecauseTheListCouldNotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p := propose(t, w, c)
		b := &shelf{}
		cfg := config(w, b, &p)
		began := w.looks
		cfg.World = busy{w, func(looks int, s *cluster.Snapshot) {
			if looks == began+6 {
				s.Nodes = nil
				s.Gaps = append(s.Gaps, cluster.Gap{Kind: "nodes", Reason: cluster.GapFailed, Needed: true})
			}
		}}
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		said := ""
		for _, e := range b.events {
			if e.Kind == record.Noticed {
				said += e.Text + "\n"
			}
		}
		if strings.Contains(said, "is gone;") || strings.Contains(said, ") is gone") || strings.Contains(said, "joined") {
			t.Errorf("nobody came or went:\n%s", said)
		}
	})
}
