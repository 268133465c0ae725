// SPDX-License-Identifier: Apache-2.0

package view

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// lacking is a cluster with so many volumes of 1 GiB that lack one replica.
func lacking(n int) *assess.Judgement {
	j := &assess.Judgement{}
	for range n {
		j.Volumes = append(j.Volumes, assess.VolumeJudgement{
			Volume: &cluster.Volume{Want: 2, Used: 1 << 30}, Good: 1, Condition: assess.Degraded,
		})
	}
	return j
}

func TestPace_AnEndIsForetoldFromWhatWasMeasured(t *testing.T) {
	var p pace
	at0 := place{node: "worker-1", phase: decide.Rebuild}
	p.see(lacking(10), at0, at())
	if got := p.text(); got != "10 GiB to copy" {
		t.Errorf("before anything was measured: %q", got)
	}
	for n := 1; n <= 4; n++ {
		p.see(lacking(10-n), at0, at().Add(time.Duration(n)*10*time.Second))
	}
	if got := p.text(); got != "6 GiB to copy, about 1m more at the 102.4 MiB/s of the last 40s" {
		t.Errorf("%q", got)
	}
	p.see(lacking(3), place{node: "worker-2", phase: decide.Rebuild}, at().Add(50*time.Second))
	if got := p.text(); got != "3 GiB to copy" {
		t.Errorf("the pace of one turn counts in the next: %q", got)
	}
	p.see(lacking(3), place{node: "worker-2", phase: decide.Join}, at().Add(time.Minute))
	if got := p.text(); got != "" {
		t.Errorf("nothing is copied while a machine joins: %q", got)
	}
}

func TestPace_NoProgressIsSaid(t *testing.T) {
	var p pace
	for n := range 3 {
		p.see(lacking(2), place{node: "worker-1", phase: decide.Rebuild}, at().Add(time.Duration(n)*10*time.Second))
	}
	if got := p.text(); got != "2 GiB to copy, none copied in the last 20s" {
		t.Errorf("%q", got)
	}
}

func TestPace_WhatIsWrittenAlreadyCounts(t *testing.T) {
	j := lacking(1)
	j.Volumes[0].Replicas = []assess.ReplicaJudgement{{Replica: &cluster.Replica{Claim: cluster.Rebuilding, Progress: 75}}}
	if left, _ := bytesLeft(j, place{phase: decide.Rebuild}); left != 1<<28 {
		t.Errorf("%d bytes left", left)
	}
	j.Volumes[0].Replicas[0].Replica.Node = "worker-1"
	if left, _ := bytesLeft(j, place{node: "worker-1", phase: decide.Evacuate}); left != 1<<28 {
		t.Errorf("%d bytes left to move", left)
	}
}

func TestPace_ItsSamplesAreBounded(t *testing.T) {
	var p pace
	for n := range 100_000 {
		p.see(lacking(1), place{node: "worker-1", phase: decide.Rebuild}, at().Add(time.Duration(n)*time.Second))
	}
	if most := 2 * int(paceWindow/paceEvery); len(p.samples) > most {
		t.Errorf("%d samples, more than %d", len(p.samples), most)
	}
}
