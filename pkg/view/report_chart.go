// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// axis is the time line that everything on the page shares.
type axis struct{ from, to time.Time }

// at is where on it a time lies, in percent.
func (a axis) at(t time.Time) float64 {
	all := a.to.Sub(a.from)
	if all <= 0 {
		return 0
	}
	share := 100 * float64(t.Sub(a.from)) / float64(all)
	return float64(int(min(max(share, 0), 100)*100)) / 100
}

// mostTicks is how many marks a line has at most, and lastTick how far right,
// in percent, one still has room for its words.
const (
	mostTicks = 6
	lastTick  = 93
)

// ticks marks round distances from the beginning.
func (a axis) ticks() []tick {
	all := a.to.Sub(a.from)
	step := 24 * time.Hour
	for _, s := range []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if all/s < mostTicks {
			step = s
			break
		}
	}
	var out []tick
	for d := time.Duration(0); d <= all && a.at(a.from.Add(d)) <= lastTick; d += step {
		if len(out) > mostTicks { // a line of many days
			break
		}
		out = append(out, tick{Left: a.at(a.from.Add(d)), Label: "+" + short(d), Time: a.from.Add(d).UTC().Format("15:04:05Z")})
	}
	return out
}

// The size of a chart's plane, in its own units; it is stretched to the page.
const (
	planeWidth  = 1000
	planeHeight = 100
	headroom    = 1.15
)

// chart is the history of one class of volumes as lines on a plane.
type chart struct {
	Name, Says, Tone string
	// Area is under Least, Line its upper edge; Might is drawn where it is more.
	Area, Line, Might string
	// Floor and Want are heights in percent from the top, and Marks the counts
	// on the axis.
	Floor, Want float64
	Marks       []mark
	Lowest      int
	Volumes     string
}

type mark struct {
	Top   float64
	Label string
}

func (a axis) chart(h v1alpha1.ClassHistory) chart {
	c := chart{Name: className(h), Says: classLine(h), Lowest: h.Lowest, Volumes: volumesOf(h), Tone: "good"}
	if h.Lowest < h.Floor {
		c.Tone = "bad"
	}
	most := float64(h.Want) * headroom
	height := func(n int) float64 { return 100 - 100*min(float64(n)/most, 1) }
	c.Floor, c.Want = height(h.Floor), height(h.Want)
	for n := 0; n <= h.Want; n++ {
		c.Marks = append(c.Marks, mark{Top: height(n), Label: fmt.Sprint(n)})
	}
	pen := stair{axis: a, height: height}
	c.Line, c.Area = pen.draw(h.Points, func(p v1alpha1.Point) (low, now int) { return p.Lowest, p.Least })
	if doubted(h.Points) {
		c.Might, _ = pen.draw(h.Points, func(p v1alpha1.Point) (low, now int) { return p.Might, p.Might })
	}
	return c
}

func doubted(ps []v1alpha1.Point) bool {
	for _, p := range ps {
		if p.Might > p.Least {
			return true
		}
	}
	return false
}

func volumesOf(h v1alpha1.ClassHistory) string {
	low, high := -1, 0
	for _, p := range h.Points {
		if p.Volumes > 0 && (low < 0 || p.Volumes < low) {
			low = p.Volumes
		}
		high = max(high, p.Volumes)
	}
	if low == high {
		return decide.Many(high, "volume")
	}
	return fmt.Sprintf("%d to %s", low, decide.Many(high, "volume"))
}

// stair draws counts that hold until the next one is known.
type stair struct {
	axis   axis
	height func(int) float64
}

// draw returns the line and the area under it. Between two points the line
// stays where it was, and at the second it first goes to the lowest count that
// was seen in between. While the class has no volumes there is no line.
func (s stair) draw(ps []v1alpha1.Point, of func(v1alpha1.Point) (low, now int)) (line, area string) {
	var l, a strings.Builder
	y := func(n int) float64 { return s.height(n) * planeHeight / 100 }
	down := false // the pen is on the paper
	lift := func(x float64) {
		if down {
			fmt.Fprintf(&l, "H%.1f", x)
			fmt.Fprintf(&a, "H%.1fV%dZ", x, planeHeight)
		}
		down = false
	}
	for _, p := range ps {
		x := s.axis.at(p.At) * planeWidth / 100
		if p.Volumes == 0 {
			lift(x)
			continue
		}
		low, now := of(p)
		if !down {
			fmt.Fprintf(&l, "M%.1f %.1f", x, y(now))
			fmt.Fprintf(&a, "M%.1f %dV%.1f", x, planeHeight, y(now))
			down = true
			continue
		}
		step := fmt.Sprintf("H%.1fV%.1fV%.1f", x, y(low), y(now))
		l.WriteString(step)
		a.WriteString(step)
	}
	lift(planeWidth)
	return l.String(), a.String()
}
