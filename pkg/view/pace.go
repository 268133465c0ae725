// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// How far back a pace is measured, how far apart its samples are at least, and
// how long something must have been measured before its pace is told.
const (
	paceWindow = 5 * time.Minute
	paceEvery  = 5 * time.Second
	paceLeast  = 10 * time.Second
)

// pace measures how fast the bytes that a wait is about become fewer.
type pace struct {
	phase   decide.Phase
	node    string
	samples []sample
}

type sample struct {
	at   time.Time
	left int64
}

// see takes in a look. Only phases in which data are copied have a pace.
func (p *pace) see(j *assess.Judgement, at place, now time.Time) {
	left, copies := bytesLeft(j, at)
	if !copies || p.phase != at.phase || p.node != at.node {
		*p = pace{phase: at.phase, node: at.node}
	}
	if !copies {
		return
	}
	if n := len(p.samples); n > 1 && now.Sub(p.samples[n-2].at) < paceEvery {
		p.samples = p.samples[:n-1] // the latest one replaces one that is too near
	}
	p.samples = append(p.samples, sample{now, left})
	for len(p.samples) > 2 && now.Sub(p.samples[0].at) > paceWindow {
		p.samples = p.samples[1:]
	}
}

// text is what is left, how fast it goes, and when it may end, with its basis;
// empty where nothing is copied.
func (p *pace) text() string {
	return p.told("%s to copy, about %s more at the %s/s of the last %s", "%s to copy, none copied in the last %s", "%s to copy")
}

// brief is the same for the line that moves.
func (p *pace) brief() string {
	return p.told("%s, ~%s at %s/s (of %s)", "%s, none in %s", "%s")
}

// told says what is left: with a rate and an end, without any progress, or
// before there is a rate.
func (p *pace) told(moving, stuck, early string) string {
	if len(p.samples) == 0 {
		return ""
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	took, done := last.at.Sub(first.at), first.left-last.left
	switch left := amount(last.left); {
	case last.left == 0:
		return ""
	case took < paceLeast:
		return fmt.Sprintf(early, left)
	case done <= 0:
		return fmt.Sprintf(stuck, left, short(took))
	default:
		rate := float64(done) / took.Seconds()
		eta := time.Duration(float64(last.left) / rate * float64(time.Second))
		return fmt.Sprintf(moving, left, short(eta), amount(int64(rate)), short(took))
	}
}

// bytesLeft is how much must still be copied in the phase: off the node while
// its replicas are moved away, and else what volumes lack of their replicas.
func bytesLeft(j *assess.Judgement, at place) (left int64, copies bool) {
	switch at.phase {
	case decide.Evacuate:
		for i := range j.Volumes {
			v := &j.Volumes[i]
			for _, r := range v.Replicas {
				if r.Replica.Node == at.node {
					left += bytesOf(v.Volume) - written(v)
				}
			}
		}
	case decide.Rebuild, decide.Heal:
		for i := range j.Volumes {
			v := &j.Volumes[i]
			if v.Condition == assess.Unused || v.Condition == assess.Going {
				continue
			}
			if lacks := int64(v.Volume.Want - v.Good - v.Leaving); lacks > 0 {
				left += lacks*bytesOf(v.Volume) - written(v)
			}
		}
	default:
		return 0, false
	}
	return max(left, 0), true
}

// bytesOf is how much one replica of the volume holds, its size where the
// storage does not say.
func bytesOf(v *cluster.Volume) int64 {
	if v.Used > 0 {
		return v.Used
	}
	return v.Size
}

// written is how much of the replicas that are being rebuilt is there already.
func written(v *assess.VolumeJudgement) int64 {
	var n int64
	for _, r := range v.Replicas {
		if r.Replica.Claim == cluster.Rebuilding {
			n += bytesOf(v.Volume) * int64(min(max(r.Replica.Progress, 0), 100)) / 100
		}
	}
	return n
}
