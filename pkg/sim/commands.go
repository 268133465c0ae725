// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
)

const (
	retiring = 20 * time.Second // from the call to the end of the machine
	creating = 40 * time.Second // from the call to a machine that starts
	asking   = 2 * time.Second  // from the call for a reboot to the machine's going dark
	dark     = 60 * time.Second // from there to its coming back
)

// NewName is a create command that gives the new machine a name of its own.
const NewName = "create-under-a-new-name"

// command runs the operator's command: idempotent, and going on alone when the
// program that started it is killed.
func (p *Process) command(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	w := p.world
	f := p.call("run " + string(a.Command))
	if f.Harm == Doze && !f.After {
		p.wake()
		f = Fault{}
	}
	if f.Harm != Fine && !f.After {
		return decide.Outcome{}, f.err(ctx, latency)
	}
	if err := p.Book().Guard(0); err != nil { // as package act asks just before it
		return decide.Outcome{Result: decide.Refused, Detail: "the command was not run: " + err.Error()}, nil
	}
	by := p.inHand()
	w.mu.Lock()
	w.catchUp()
	w.touched = true
	key := string(a.Command) + "/" + string(a.Node.UID)
	twice := w.now.Before(w.busy[key])
	var took time.Duration
	switch a.Command {
	case decide.RetireCommand:
		took = w.retire(a, by)
	case decide.CreateCommand:
		took = w.build(a, p.commands)
	case decide.ReplaceCommand:
		took = w.retire(a, by) + w.build(a, p.commands)
	case decide.RebootCommand:
		took = w.reboot(a, by)
	}
	if twice {
		w.truth.Deeds = append(w.truth.Deeds, w.twice(p, a))
	}
	w.busy[key] = time.Time{}
	if f.Harm == Fine || f.Harm == Kill || f.Harm == Doze { // else it has ended, with an error
		w.busy[key] = w.now.Add(took)
	}
	w.mu.Unlock()
	switch f.Harm {
	case Fine:
	case Doze:
		p.wake()
	default:
		return decide.Outcome{}, f.err(ctx, latency)
	}
	t := time.NewTimer(took + latency)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return decide.Outcome{}, context.Cause(ctx)
	case <-t.C:
	}
	w.mu.Lock()
	w.catchUp()
	w.mu.Unlock()
	return decide.Outcome{Result: decide.Performed, Detail: "it ended well"}, nil
}

// twice is a command that is begun while it still runs: what it does once here, a
// real one may do twice.
func (w *World) twice(p *Process, a decide.Action) oracle.Deed {
	raw, err := json.Marshal(a)
	w.must(err)
	return oracle.Deed{At: w.now, Verb: string(a.Verb), Node: a.Node, UID: a.Node.UID, Action: raw, Twice: true, By: p.number, Sent: w.now}
}

// retire has the machine go, once.
func (w *World) retire(a decide.Action, by *deed) time.Duration {
	n := w.machineByUID(a.Node.UID)
	if n == nil || n.doomed {
		return 0
	}
	n.doomed = true
	w.felt(by, n.uid)
	w.powerOff(n)
	w.after(retiring, func() {
		if w.machineByUID(n.uid) == n {
			w.remove(n, oracle.Ours)
		}
	})
	return retiring
}

// reboot has the machine go dark and come back with its disk, once: the command
// ends when the machine has been asked.
func (w *World) reboot(a decide.Action, by *deed) time.Duration {
	n := w.machineByUID(a.Node.UID)
	if n == nil || n.doomed || !n.on || fmt.Sprintf("%s/%d", n.uid, n.boots) != a.Boot || w.asked[a.Boot] {
		return 0
	}
	w.asked[a.Boot] = true
	w.felt(by, n.uid)
	w.after(asking, func() { w.powerOff(n) })
	w.after(asking+dark, func() {
		if w.machineByUID(n.uid) == n {
			w.powerOn(n)
		}
	})
	return asking / 2
}

// build has a machine start with an empty disk, once for every machine that is
// to be replaced.
func (w *World) build(a decide.Action, c decide.Commands) time.Duration {
	name := a.Node.Name
	if c.Create == NewName || c.Replace == NewName {
		name += "x"
	}
	if w.built[a.Node.UID] {
		return 0
	}
	w.built[a.Node.UID] = true
	w.after(creating, func() {
		if w.machine(name) == nil {
			w.join(name, "worker", w.disks.Blank(w.coming))
		}
	})
	return creating
}
