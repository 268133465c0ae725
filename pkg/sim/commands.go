// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
)

const (
	retiring = 20 * time.Second // from the call to the end of the machine
	creating = 40 * time.Second // from the call to a machine that starts
)

// NewName is a create command that gives the new machine a name of its own.
const NewName = "create-under-a-new-name"

// command runs the operator's command: idempotent, and going on alone when the
// program that started it is killed.
func (p *Process) command(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	w := p.world
	f := p.call("run " + string(a.Command))
	if f.Harm != Fine && !f.After {
		return decide.Outcome{}, f.err()
	}
	w.mu.Lock()
	w.catchUp()
	w.touched = true
	var took time.Duration
	if a.Command != decide.CreateCommand {
		took += w.retire(a)
	}
	if a.Command != decide.RetireCommand {
		took += w.build(a, p.commands)
	}
	w.mu.Unlock()
	if f.Harm != Fine {
		return decide.Outcome{}, f.err()
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

// retire has the machine go, once.
func (w *World) retire(a decide.Action) time.Duration {
	n := w.machineByUID(a.Node.UID)
	if n == nil || n.doomed {
		return 0
	}
	n.doomed = true
	w.felt(w.deed, n.uid)
	w.powerOff(n)
	w.after(retiring, func() {
		if w.machineByUID(n.uid) == n {
			w.remove(n, oracle.Ours)
		}
	})
	return retiring
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
			w.join(name, "worker", w.disks.Blank(w.opts.DiskSize))
		}
	})
	return creating
}
