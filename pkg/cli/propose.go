// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// request is what the flags ask for, without the nodes.
func (o *rollOptions) request() decide.Request {
	req := decide.Request{
		Run: newRunID(time.Now()), Goal: o.goal, Commands: o.commands, Selector: o.wanted, Probe: o.conn.probe, Policy: o.policy.policy,
	}
	o.planning.ask(&req, o.selector)
	return req
}

// newRunID names a roll: sortable by time, and unlikely to be given twice. It
// becomes part of object names, so it is a DNS label.
func newRunID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:4])
}

// propose makes a new plan from fresh facts, or says why there is none.
func (o *rollOptions) propose(ctx context.Context) (decide.Plan, error) {
	if len(o.nodes) == 0 && o.selector == "" {
		return decide.Plan{}, usagef("no roll is in flight: name the nodes to replace, or give a selector")
	}
	s, err := o.conn.observe(ctx)
	if err != nil {
		return decide.Plan{}, failed(err)
	}
	req := o.request()
	if req.Nodes, err = o.targets(s); err != nil {
		return decide.Plan{}, err
	}
	if missing := noStorage(s); missing != "" {
		return decide.Plan{}, usagef("there is nothing to roll safely here: %s", missing)
	}
	plan, refused := decide.Propose(judge(s, o.policy.policy), req, placers(o.app.Storages))
	if len(refused) == 0 {
		return plan, nil
	}
	if err := misused(refused); err != nil {
		return decide.Plan{}, err
	}
	return decide.Plan{}, o.refuse(refused)
}

// misused says which refusal is about what was asked for, and not about the
// cluster; nil for none.
func misused(refused []assess.Finding) error {
	for _, f := range refused {
		if f.Code == decide.CodeNotLost {
			return usagef("%s", strings.TrimSuffix(f.Message, "."))
		}
	}
	return nil
}

// targets are the nodes asked for. Where no node could be read there is a
// finding that says so, and it refuses.
func (o *rollOptions) targets(s *cluster.Snapshot) ([]cluster.NodeRef, error) {
	names := o.nodes
	if o.selector != "" {
		var err error
		if names, err = selected(s, o.selector); err != nil {
			return nil, err
		}
		if len(names) == 0 && nodesRead(s) {
			return nil, usagef("no node matches the selector %s", o.selector)
		}
	}
	if !nodesRead(s) {
		return nil, nil
	}
	refs, err := resolve(s, names)
	if err != nil {
		return nil, failed(err)
	}
	return refs, nil
}

// noStorage says why no storage system is here, empty where one is.
func noStorage(s *cluster.Snapshot) string {
	for _, g := range s.Gaps {
		if g.Needed && g.Reason == cluster.GapMissing {
			return "the server does not know " + g.Kind
		}
	}
	if len(s.Storages) == 0 && len(s.Gaps) == 0 {
		return "no storage system was found that safe-roll knows"
	}
	return ""
}

// refuse prints a refusal and returns its exit code.
func (o *rollOptions) refuse(fs []assess.Finding) error {
	verb := "run"
	if o.goal.StaysOpen() {
		verb = "drain"
	}
	what := verb + " " + strings.Join(o.nodes, " ")
	if o.selector != "" {
		what = verb + " -l " + o.selector
	}
	if o.goal.Reboots() {
		what += " --for=" + forReboot
	}
	errOut := o.app.Streams.ErrOut
	r := view.Refusal{What: what, Findings: fs, Catalogue: catalogue(o.app.Storages)}
	if o.output == outputJSON {
		if err := r.JSON(o.app.Streams.Out); err != nil {
			return failed(err)
		}
		return exited(r.Exit())
	}
	if err := r.Text(errOut, styleOf(errOut)); err != nil {
		return failed(err)
	}
	return exited(r.Exit())
}

// carryOn finds out what the request means for the roll in flight, and whether
// it goes on.
func (o *rollOptions) carryOn(ctx context.Context, h record.History, cfg *roll.Config) (bool, error) {
	stored, mem := record.Replay(h)
	if err := o.pauses(stored); err != nil {
		return false, err
	}
	if o.purpose == "" && stored.Goal.Reboots() { // a flag left out contradicts nothing
		o.goal = o.goal.ToReboot()
		if err := o.validatePurpose(); err != nil {
			return false, err
		}
	}
	names, err := o.meant(ctx, h, stored, mem)
	if err != nil {
		return false, err
	}
	how, wide, why := decide.CarryOn(stored, mem, names, o.request())
	switch how {
	case decide.CarryFresh:
		return false, nil
	case decide.CarryResume:
		return true, nil
	case decide.CarryWiden:
		cfg.Plan, cfg.Widen = &wide, true
		return true, nil
	default:
		return false, &exitError{code: exitUnsafe, err: fmt.Errorf("refused: %s", why)}
	}
}

// meant are the nodes that the request means, given the roll in flight; none
// where it means that roll.
func (o *rollOptions) meant(ctx context.Context, h record.History, stored decide.Plan, mem decide.Memory) ([]string, error) {
	if o.selector == "" {
		return o.nodes, nil
	}
	s, err := o.conn.observe(ctx)
	if err != nil {
		return nil, failed(err)
	}
	names, err := selected(s, o.selector)
	switch {
	case err != nil:
		return nil, err
	case sameRoll(s, names, remaining(stored, mem), h.Events[0].At):
		return nil, nil
	case len(names) == 0:
		return nil, usagef("no node matches the selector %s", o.selector)
	default:
		return names, nil
	}
}

// remaining are the nodes whose turns are not closed.
func remaining(p decide.Plan, mem decide.Memory) []cluster.NodeRef {
	var out []cluster.NodeRef
	for _, t := range p.Turns {
		if m := mem.TurnOf(t.Node); m == nil || m.ClosedAt.IsZero() {
			out = append(out, t.Node)
		}
	}
	return out
}

// sameRoll reports whether what a selector matches now means the roll that
// began then. What it matches changes under a roll: nodes that were planned
// are gone, and those that joined since match in their place. So it must match
// every node that is still to come and still there and, beside those, only
// nodes that are younger than the roll.
func sameRoll(s *cluster.Snapshot, names []string, todo []cluster.NodeRef, began time.Time) bool {
	due := map[string]bool{}
	for _, ref := range todo {
		if s.NodeByUID(ref.UID) == nil {
			continue
		}
		if !slices.Contains(names, ref.Name) {
			return false
		}
		due[ref.Name] = true
	}
	for _, name := range names {
		if n := s.Node(name); !due[name] && (n == nil || !n.Created.After(began)) {
			return false
		}
	}
	return true
}

// placers are the storages that can forecast, by driver.
func placers(storages []plugin.Storage) map[string]forecast.Placer {
	out := map[string]forecast.Placer{}
	for _, s := range storages {
		if p, ok := s.(interface{ Placer() forecast.Placer }); ok {
			out[s.Driver()] = p.Placer()
		}
	}
	return out
}

// pairs parses key=value,key=value.
func pairs(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok || key == "" || strings.ContainsAny(key, "!<>") {
			return nil, usagef("--replacement-selector=%s: give key=value pairs, separated by commas", text)
		}
		out[key] = value
	}
	return out, nil
}
