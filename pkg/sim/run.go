// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Roll is one roll to be simulated.
type Roll struct {
	Seed uint64
	Case Case
	// Faults are those of the nth process, from 0; nil for none. Those after
	// the last get none.
	Faults []Faults
	// Tick is the least time between two looks; 0 for a second, as the program
	// has it.
	Tick time.Duration
	// Chaos is how many foolish things other people do, if the roll lasts so long;
	// Within, from its start; 20 minutes where it is zero.
	Chaos  int
	Within time.Duration
	// Interrupt stops the first process after that time; 0 for never.
	Interrupt time.Duration
	// Outage switches the last worker off after that time, until somebody mends
	// it between two processes; 0 for never.
	Outage time.Duration
	// Successor is how long after the first process was stopped (Doze) somebody else
	// goes on with the roll, on another machine; 0 for nobody before it ends.
	Successor time.Duration

	wrap func(record.Book) record.Book // for tests
}

// Ending is how a roll ended.
type Ending string

// The endings.
const (
	Finished Ending = "finished"
	Refused  Ending = "refused" // before the first change
	Halted   Ending = "halted"  // with a cause, every time it was run again
	Errored  Ending = "error"   // with an error, every time it was run again
)

// History is what came of a Roll.
type History struct {
	Ending Ending
	// Why is the cause of a refusal, a halt or an error.
	Why    string
	Events []record.Event
	Truth  oracle.Truth
	Report oracle.Report
	Lost   []string
	// Disturbed is how many things others did meanwhile that had an effect.
	Disturbed int
	// Changed is what is not as it was before the roll, and should be: settings, and
	// what volumes and machines that stay are told. Where nobody was disturbed by
	// others, all of it is the roll's doing.
	Changed []string
	// Machines is how many there were before the roll.
	Machines int
	// Calls are those of each process.
	Calls []int
	// Took is the virtual time from the first process to the end of the last.
	Took time.Duration
	Log  []string
}

// Bytes is the whole history; the same seed gives the same bytes.
func (h History) Bytes() string {
	raw, err := json.Marshal(h.Events)
	if err != nil {
		raw = []byte(err.Error())
	}
	return fmt.Sprintf("%s %s\n%v %v %s\n%s\n%s\n", h.Ending, h.Why, h.Calls, h.Lost, h.Took, raw, strings.Join(h.Log, "\n"))
}

// retries bounds how often the same command is run again after a halt or an
// error, by people who have mended meanwhile what they could.
const retries = 3

// separations is how many more times it is run again where a halt says what to
// do and it is done: on small clusters, once a turn.
const separations = 5

// Run simulates the roll. It must be called inside a bubble of
// testing/synctest.
func Run(ctx context.Context, r Roll) (History, error) {
	w, err := world(r.Seed, r.Case)
	if err != nil {
		return History{}, err
	}
	return w.rolled(ctx, r)
}

// world is the cluster of a seed and a case, as it is before anybody rolls.
func world(seed uint64, c Case) (*World, error) {
	o := Options{Seed: seed, DiskSize: c.Disk}
	if c.Old {
		o.Behaviour = model.V140()
	}
	if c.Kept {
		o.Behaviour = model.V1100()
	}
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	w.probing = c.Probe
	if err := w.populate(c); err != nil {
		return nil, fmt.Errorf("seed %d: %w", seed, err)
	}
	return w, nil
}

// rolled has the tool roll, and tells what came of it.
func (w *World) rolled(ctx context.Context, r Roll) (History, error) {
	h := History{}
	plan, why, err := w.propose(ctx, r.Case)
	if err != nil {
		return h, err
	}
	if why != "" {
		h.Ending, h.Why, h.Lost, h.Log = Refused, why, w.Lost(), w.log
		return h, nil
	}
	h.Machines = len(w.machines)
	before := w.specs(plan)
	w.live(r.Case)
	w.confuse(r.Chaos, cmp.Or(r.Within, 20*time.Minute))
	w.outage(r)
	began := time.Now()
	m := book.NewInMemory(leaseTime, time.Now)
	w.roll(ctx, r, plan, m, &h)
	h.Took = time.Since(began)
	if err := w.close(ctx, m, &h); err != nil {
		return h, fmt.Errorf("seed %d: the journal: %w", r.Seed, err)
	}
	h.Log, h.Lost, h.Disturbed = w.log, w.Lost(), w.disturbed
	h.Changed = changed(before, w.specs(plan))
	return h, nil
}

// close has the oracle judge a journal that has come to its end.
func (w *World) close(ctx context.Context, m *book.InMemory, h *History) error {
	w.arrivals()
	journal, _, err := m.Open("reader").Read(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	w.truth.End = w.moment()
	h.Events, h.Truth = journal.Events, w.truth
	before := h.Report.Violations
	h.Report = oracle.Check(h.Events, &h.Truth)
	h.Report.Violations = append(before, h.Report.Violations...)
	w.truth = oracle.Truth{Takings: w.truth.Takings}
	return nil
}

// leaseTime is how long a renewal of the lock lasts.
const leaseTime = 60 * time.Second

// config is how the loop runs here. The renewals fall between the ticks, so
// that no two goroutines ever wake at the same instant.
func config(p *Process, plan *decide.Plan, tick time.Duration) roll.Config {
	return roll.Config{
		World: p, Book: p.Book(), Plan: plan, Placers: placers(),
		Tick: tick, Poll: 30 * time.Second, Renew: 15*time.Second + 137*time.Nanosecond,
		DeedLimit: 20 * time.Second, WriteLimit: 20 * time.Second,
	}
}

// roll runs the program until it is done, again and again as people do.
func (w *World) roll(ctx context.Context, r Roll, plan decide.Plan, m *book.InMemory, h *History) {
	first := &plan
	var halt decide.Halt
	var stopped <-chan ended
	defer func() { w.awaited(stopped) }()
	for n, left := 0, len(r.Faults)+retries; n < left; n++ {
		faults := Faults{}
		if n < len(r.Faults) {
			faults = r.Faults[n]
		}
		who := "somebody@laptop"
		if stopped != nil {
			who = "somebody@desk"
		}
		p := w.Connect(m.Open(who), plan.Commands, faults)
		p.wrap = r.wrap
		c, stop := ctx, context.CancelFunc(func() {})
		if n == 0 && r.Interrupt > 0 {
			c, stop = context.WithTimeout(ctx, r.Interrupt)
		}
		var res roll.Result
		var err error
		cfg := w.broken(config(p, first, cmp.Or(r.Tick, time.Second)))
		if n == 0 && r.Successor > 0 {
			res, stopped, err = w.firstly(c, r, p, cfg)
		} else {
			res, err = roll.Run(c, cfg)
		}
		stop()
		h.Calls = append(h.Calls, p.Calls())
		halt, _ = res.Decision.(decide.Halt)
		w.tell("process %d: exit %d, %T, %v", n, res.Exit, res.Decision, err)
		if h.settle(res, err) {
			return
		}
		journal, _, unread := m.Open("reader").Read(ctx)
		written := unread == nil && len(journal.Events) > 0
		switch {
		case written && journal.Events[len(journal.Events)-1].Kind == record.Finished:
			h.Ending, h.Why = Finished, "" // and whoever ran it was not told
			return
		case written && errors.Is(err, roll.ErrNothing):
			plan.Run += "x" // it was not gone on with, so the same command begins anew
			first = &plan
		case written:
			first = nil
		}
		switch {
		case errors.Is(err, errStopped):
			continue
		case stopped != nil && errors.Is(err, record.ErrHeld):
			lapse(held)
			n-- // nothing was tried yet
			continue
		}
		w.mend(n)
		if w.separate(halt) {
			left = min(left+1, len(r.Faults)+retries+separations)
			continue
		}
		if n > 0 && strings.Contains(halt.Remedy, "safe-roll abort") {
			var over bool
			if first, over = w.anew(ctx, r, m, h); over {
				return
			}
		} else if n >= max(2, len(r.Faults)) && halt.Exit == decide.ExitLimit {
			return // nothing went wrong with it, people mended what they could, and it waited in vain
		}
	}
}

// settle takes in how a process ended, and reports whether the roll is over.
func (h *History) settle(res roll.Result, err error) bool {
	switch d := res.Decision.(type) {
	case decide.Done:
		if err == nil {
			h.Ending, h.Why = Finished, ""
			return true
		}
	case decide.Halt:
		h.Ending, h.Why = Halted, d.Reason
	}
	if err != nil && !errors.Is(err, roll.ErrNothing) {
		h.Ending, h.Why = Errored, err.Error()
	}
	return false
}

func (w *World) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	w.say(format, args...)
}
