// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// verifyOptions are the flags of verify, completed.
type verifyOptions struct {
	app       App
	conn      *connection
	policy    *policyFlags
	nodes     []string
	selector  string
	files     []string
	recursive bool
	output    string
}

func newVerify(app App, conn *connection, display string) *cobra.Command {
	o := &verifyOptions{app: app, conn: conn, policy: newPolicyFlags(), output: outputText}
	cmd := &cobra.Command{
		Use:   "verify [NODE... | -l SELECTOR]",
		Short: "Is every volume whole; may these nodes be drained, may they be deleted",
		Long: `Judges every volume, attached or not, by its configured number of good replicas
on live nodes. With nodes: may each be drained (every volume keeps its floor
without it), and may it be deleted now. Changes nothing.

With -f it reads files instead of a cluster: what kubectl get -o json or -o yaml
wrote, one object or many, lists or not. Needed for a verdict are lists of
nodes, persistentvolumes and of the storage's own kinds; for nodes also pods
and poddisruptionbudgets.`,
		Example: examples(display,
			"% verify                         # every volume",
			"% verify worker-1                # may worker-1 be drained, may it be deleted",
			"% verify -o json | jq .verdict   # for programs; the exit code says the same",
			"% verify -f dump                 # without a cluster, from what kubectl get -o yaml wrote"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.nodes = args
			if err := o.complete(); err != nil {
				return err
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "a file or directory to read instead of a cluster, or - for standard input; may be given more than once")
	f.StringVarP(&o.selector, "selector", "l", "", "ask about the nodes that this label selector matches")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "read the directories below those of -f too")
	f.StringVarP(&o.output, "output", "o", o.output, "text, wide (every volume), "+dataOutputs)
	o.policy.judging(f)
	conn.addProbe(f)
	return cmd
}

func (o *verifyOptions) complete() error { return o.policy.complete() }

func (o *verifyOptions) validate() error {
	if err := checkOutput(o.output, outputText, outputWide); err != nil {
		return err
	}
	if len(o.nodes) > 0 && o.selector != "" {
		return usagef("name nodes or give a selector, not both")
	}
	if o.recursive && len(o.files) == 0 {
		return usagef("-R reads directories: it needs -f DIR")
	}
	if err := o.conn.liveOnly(o.files); err != nil {
		return err
	}
	return o.policy.validate()
}

func (o *verifyOptions) run(ctx context.Context) error {
	j, err := o.judge(ctx)
	if err != nil {
		return failed(err)
	}
	s := j.Snapshot
	refs, extra, err := o.resolve(s)
	if err != nil {
		return err
	}
	a := view.Answer{Judgement: j, Extra: extra, Catalogue: catalogue(o.app.Storages)}
	for _, ref := range refs {
		a.Nodes = append(a.Nodes, ask(j, ref))
	}
	if err := o.print(a); err != nil {
		return failed(err)
	}
	return exited(exitOf(a.Verdict()))
}

// resolve turns the names or the selector into nodes. Where no list of nodes
// could be read no name is known to be wrong: the answer is Unknown, not an
// error. A selector that matches nothing asked about nothing, and that is no
// good news.
func (o *verifyOptions) resolve(s *cluster.Snapshot) ([]cluster.NodeRef, []assess.Finding, error) {
	if o.selector != "" {
		names, err := selected(s, o.selector)
		if err != nil {
			return nil, nil, err
		}
		if len(names) == 0 {
			return nil, []assess.Finding{nothingSelected(o.selector)}, nil
		}
		o.nodes = names
	}
	if nodesRead(s) {
		refs, err := resolve(s, o.nodes)
		if err != nil {
			return nil, nil, failed(err)
		}
		return refs, nil, nil
	}
	var refs []cluster.NodeRef
	for _, name := range o.nodes {
		refs = append(refs, cluster.NodeRef{Name: name})
	}
	return refs, nil, nil
}

// judge reads and judges. Where it is asked about every volume and nothing else
// the volumes are judged one by one: what becomes of each without a node need
// not be known afterwards.
func (o *verifyOptions) judge(ctx context.Context) (*assess.Judgement, error) {
	if len(o.files) > 0 || len(o.nodes) > 0 || o.selector != "" || o.conn.probe {
		s, err := o.observe(ctx)
		if err != nil {
			return nil, err
		}
		return judge(s, o.policy.policy), nil
	}
	s, volumes, err := o.conn.survey(ctx)
	if err != nil {
		return nil, err
	}
	return assess.Sift(s, volumes, o.policy.policy, time.Now().Add(s.Look.Skew)), nil
}

func (o *verifyOptions) observe(ctx context.Context) (*cluster.Snapshot, error) {
	if len(o.files) > 0 {
		return o.conn.files(o.files, o.recursive)
	}
	return o.conn.observe(ctx)
}

func (o *verifyOptions) print(a view.Answer) error {
	out := o.app.Streams.Out
	switch o.output {
	case outputJSON:
		return a.JSON(out)
	case outputWide:
		return a.Wide(out, styleOf(out))
	case outputText:
		return a.Text(out, styleOf(out))
	default:
		return printData(out, o.output, data{object: a.Verification(), rows: "volumes", names: a.InTheWay()})
	}
}

// judge judges by the cluster's clock, as far as its answers told it.
func judge(s *cluster.Snapshot, p policy.Policy) *assess.Judgement {
	return assess.Judge(s, p, time.Now().Add(s.Look.Skew))
}

// ask asks both questions about one node. A node whose pods cannot all go may
// not be drained either. A budget that holds one endangers no data, so it changes
// no answer; it is told, for a drain would wait on it.
func ask(j *assess.Judgement, ref cluster.NodeRef) view.NodeAnswer {
	a := view.NodeAnswer{Node: ref, MayDrain: j.MayDrain(ref), MayDelete: j.MayDelete(ref, assess.Turn{})}
	set := assess.Drain(j.Snapshot, j.Policy, ref)
	for _, f := range set.Blocked {
		if slices.ContainsFunc(a.MayDrain.Findings, func(g assess.Finding) bool { return g.Code == f.Code && g.Message == f.Message }) {
			continue
		}
		a.MayDrain.Findings = append(a.MayDrain.Findings, f)
		switch f.Severity {
		case assess.Danger:
			a.MayDrain.Verdict = a.MayDrain.Verdict.Worse(cluster.Unsafe)
		case assess.Unclear:
			a.MayDrain.Verdict = a.MayDrain.Verdict.Worse(cluster.VerdictUnknown)
		case assess.Note:
		}
	}
	for _, h := range decide.Budgets(j.Snapshot, set) {
		f, waits := h.Finding(), "would wait"
		if h.Never {
			waits = "would never end"
		}
		f.Message = fmt.Sprintf("A drain of node %s %s. %s", ref.Name, waits, f.Message)
		a.MayDrain.Findings = append(a.MayDrain.Findings, f)
	}
	return a
}

// oneOf checks the value of --output.
func oneOf(value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usagef("--output=%s is none of %s", value, strings.Join(allowed, ", "))
}
