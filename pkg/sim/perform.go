// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// deed is the deed in hand, and whose it is.
type deed struct {
	process *Process
	action  decide.Action
	sent    time.Time      // the request by which it takes effect
	before  *oracle.Moment // as it was sent, where it arrives long after that
}

// inHand is the deed in hand as of a request that is sent now; nil for none.
func (p *Process) inHand() *deed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deed == nil {
		return nil
	}
	d := *p.deed
	d.sent = time.Now()
	return &d
}

func (p *Process) take(d *deed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deed = d
}

// sentLate notes how everything is when a request is sent that arrives long after:
// nobody can know what happens until then.
func (w *World) sentLate(by *deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	by.before = w.moment()
}

// felt notes that a change by our hand takes effect now, on the object that the
// request named by this identity.
func (w *World) felt(by *deed, uid cluster.UID) {
	if by == nil {
		return
	}
	raw, err := json.Marshal(by.action)
	w.must(err)
	d := oracle.Deed{
		At: w.now, Verb: string(by.action.Verb), Node: by.action.Node, UID: uid, Action: raw,
		By: by.process.number, Sent: by.sent,
	}
	switch by.action.Verb {
	case decide.Cordon, decide.EvictPods, decide.DeleteNode, decide.RunCommand:
		if by.action.Command != decide.CreateCommand {
			if d.Before = by.before; d.Before == nil {
				d.Before = w.moment()
			}
		}
	}
	w.truth.Deeds = append(w.truth.Deeds, d)
	w.opens(by.action)
}

// Perform implements roll.World: package act does the deed, by requests that
// this world answers, and the operator's commands are the world's own.
func (p *Process) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if p.Dead() {
		return decide.Outcome{}, ErrKilled
	}
	w := p.world
	p.take(&deed{process: p, action: a})
	defer p.take(nil)
	var o decide.Outcome
	var err error
	if a.Verb == decide.RunCommand {
		o, err = p.command(ctx, a)
	} else {
		if p.last == nil {
			if _, err := p.Observe(ctx, cluster.Fresh); err != nil {
				return decide.Outcome{}, fmt.Errorf("look before the deed: %w", err)
			}
		}
		o, err = p.act(ctx, a)
	}
	p.did.note(a, w.revised())
	if p.Dead() {
		return decide.Outcome{}, ErrKilled
	}
	return o, err
}

// act has package act do a deed. Where the process is stopped meanwhile, its limit
// stands still with it, as the clock by which it is measured may do in a machine
// that sleeps.
func (p *Process) act(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if p.actor == nil {
		var err error
		if p.actor, err = act.New(act.Config{
			REST: p.restConfig(), Storages: []plugin.Storage{longhorn.New()},
			Guard: func(lasts time.Duration) error { return p.Book().Guard(lasts) },
		}); err != nil {
			return decide.Outcome{}, err
		}
	}
	if p.faults.dozes {
		ctx = context.WithoutCancel(ctx)
	}
	return p.actor.Perform(ctx, p.last, a)
}
