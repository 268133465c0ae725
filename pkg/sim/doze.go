// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// behind is how much later than the one that was stopped in a call the others of
// its process go on: no two wake at the same instant.
const behind = 211 * time.Nanosecond

// doze stops the process as a whole, as a laptop that is closed: whoever is in it
// goes on where it was, once it wakes.
func (p *Process) doze(d time.Duration) {
	if p.until.IsZero() {
		close(p.dozed)
	}
	p.until = time.Now().Add(d)
}

// wake waits until the process wakes: for who was stopped in a call.
func (p *Process) wake() { p.rest(0) }

// awake waits likewise where another call has stopped the process.
func (p *Process) awake() { p.rest(behind) }

func (p *Process) rest(longer time.Duration) {
	p.mu.Lock()
	d := time.Until(p.until)
	p.mu.Unlock()
	if d > 0 {
		lapse(d + longer)
	}
}

// Dozing are faults by which the process is stopped once, at the nth call of those
// that are among what is meant; whatever else goes wrong stays.
func (f Faults) Dozing(n int, among func(what string) bool, doze Fault) Faults {
	other, k := f.At, 0
	f.dozes = true
	f.At = func(c Call) Fault {
		if among(c.What) {
			if k++; k == n {
				return doze
			}
		}
		if other == nil {
			return Fault{}
		}
		return other(c)
	}
	return f
}

// TakenOver is the roll, in which the first process is stopped, before or after a
// call, for 30 seconds to two hours, and somebody else goes on with it meanwhile on
// another machine; all by the seed. Most of them wake when the other has just
// begun: later there is little left that could still be done twice.
func (r Roll) TakenOver(over uint64) Roll {
	rnd := rand.New(rand.NewPCG(over, 0x74616b656e))
	f := Faults{}
	if len(r.Faults) > 0 {
		f = r.Faults[0]
	}
	longest := []time.Duration{2 * time.Hour, 10 * time.Minute, 2 * time.Minute, 2 * time.Minute}[rnd.IntN(4)]
	lasts := 30*time.Second + time.Duration(rnd.Int64N(int64(longest-30*time.Second)))
	n, among := 1+rnd.IntN(150), func(string) bool { return true }
	switch rnd.IntN(4) {
	case 0: // any
	case 1:
		n, among = 1+rnd.IntN(25), func(what string) bool { return what == "append" }
	default:
		n, among = 1+rnd.IntN(14), requests
	}
	r.Faults = []Faults{f.Dozing(n, among, Fault{Harm: Doze, After: rnd.IntN(3) > 0, Lasts: lasts})}
	r.Successor = 1 + time.Duration(rnd.Int64N(int64(90*time.Second)))
	r.Interrupt = 0
	return r
}

// requests are the calls of deeds.
func requests(what string) bool {
	return strings.Contains(what, " ") // a method or "run", and of what
}

// ended is how a process ended.
type ended struct {
	res roll.Result
	err error
}

// errStopped: the process stands still, and somebody else goes on.
var errStopped = errors.New("it stands still")

// firstly runs the first process to its end, or until it is stopped and somebody
// else is about to go on: then it comes to its end later.
func (w *World) firstly(ctx context.Context, r Roll, p *Process, cfg roll.Config) (roll.Result, <-chan ended, error) {
	end := make(chan ended, 1)
	go func() {
		res, err := roll.Run(ctx, cfg)
		end <- ended{res, err}
	}()
	select {
	case e := <-end:
		return e.res, nil, e.err
	case <-p.dozed:
		w.tell("process 0 stands still")
		lapse(r.Successor)
		return roll.Result{}, end, errStopped
	}
}

// held is how long people wait before they try again to take a lock that is held.
const held = 31 * time.Second

// awaited waits until the process that was stopped has come to its end, if any was.
func (w *World) awaited(stopped <-chan ended) {
	if stopped != nil {
		e := <-stopped
		w.tell("process 0, which stood still: exit %d, %T, %v", e.res.Exit, e.res.Decision, e.err)
	}
}
