// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// planOptions are the flags of plan, completed.
type planOptions struct {
	rollOptions
	files     []string
	recursive bool
	copyRate  string
	rate      int64
}

func newPlan(app App, conn *connection, display string) *cobra.Command {
	o := &planOptions{rollOptions: rollOptions{app: app, conn: conn, display: display, policy: newPolicyFlags(), goal: decide.UntilReplaced, output: outputText}}
	cmd := &cobra.Command{
		Use:   "plan NODE... | -l SELECTOR",
		Short: "What a roll of these nodes would do, whether it can end, and who will notice",
		Long: `Says in which order the nodes would go and how each node's replicas survive:
moved away first (evict), or rebuilt on the replacement (refill). Forecasts with
the storage's own rules where every replica would go, turn after turn, and
refuses what could never end, with the ways out: too few nodes, zones or tags,
too little space, settings, budgets that never permit an eviction. Changes
nothing; '` + display + ` run' with the same nodes and flags makes the same plan.`,
		Example: examples(display,
			"% plan worker-1 worker-2 worker-3",
			"% plan -l node-role.kubernetes.io/worker --order=spare",
			"% plan -l node-role.kubernetes.io/worker --replacement-disk=200Gi   # smaller machines",
			"% plan worker-1 --for=reboot                                        # it comes back with its disks",
			"% plan worker-1 --probe                                             # and look into the machines, as run --probe would",
			"% plan worker-1 -f dump -o wide                                     # without a cluster"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.nodes = args
			if err := o.complete(cmd.Flags()); err != nil {
				return err
			}
			if err := o.validatePlan(); err != nil {
				return err
			}
			return o.plan(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.selector, "selector", "l", "", "the nodes that this label selector matches")
	f.StringArrayVarP(&o.files, "filename", "f", nil, "a file or directory to read instead of a cluster, or - for standard input; may be given more than once")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "read the directories below those of -f too")
	f.StringVarP(&o.output, "output", "o", o.output, "text, wide (every volume and pod), "+dataOutputs)
	f.StringVar(&o.copyRate, "copy-rate", "", "how much is copied in a second, such as 200Mi, for the estimate of the time")
	conn.addProbe(f)
	o.planning.add(f)
	o.addPurpose(f)
	o.policy.rolling(f)
	addHabits(f)
	return cmd
}

func (o *planOptions) validatePlan() error {
	switch {
	case len(o.nodes) > 0 && o.selector != "":
		return usagef("name nodes or give a selector, not both")
	case len(o.nodes) == 0 && o.selector == "":
		return usagef("name the nodes to replace, or give a selector")
	case o.recursive && len(o.files) == 0:
		return usagef("-R reads directories: it needs -f DIR")
	}
	if o.copyRate != "" {
		rate, err := resource.ParseQuantity(o.copyRate)
		if err != nil || rate.Value() <= 0 {
			return usagef("--copy-rate=%s is no amount of bytes, such as 200Mi", o.copyRate)
		}
		o.rate = rate.Value()
	}
	if err := o.conn.liveOnly(o.files); err != nil {
		return err
	}
	if err := o.validatePurpose(); err != nil {
		return err
	}
	if err := checkOutput(o.output, outputText, outputWide); err != nil {
		return err
	}
	return o.policy.validate()
}

// plan reads, drafts and prints; the exit code is the verdict's.
func (o *planOptions) plan(ctx context.Context) error {
	s, err := o.observe(ctx)
	if err != nil {
		return failed(err)
	}
	req := o.request()
	if req.Nodes, err = o.targets(s); err != nil {
		return err
	}
	j := judge(s, o.policy.policy)
	a := view.Plan{Judgement: j, Proposal: decide.Draft(j, req, placers(o.app.Storages)), Rate: o.rate, Catalogue: catalogue(o.app.Storages)}
	if err := misused(a.Proposal.Refused); err != nil {
		return err
	}
	if err := o.print(a); err != nil {
		return failed(err)
	}
	return exited(exitOf(a.Proposal.Verdict()))
}

func (o *planOptions) observe(ctx context.Context) (*cluster.Snapshot, error) {
	if len(o.files) > 0 {
		return o.conn.files(o.files, o.recursive)
	}
	return o.conn.observe(ctx)
}

func (o *planOptions) print(a view.Plan) error {
	out := o.app.Streams.Out
	switch o.output {
	case outputText:
		return a.Text(out, styleOf(out))
	case outputWide:
		return a.Wide(out, styleOf(out))
	default:
		public := a.Public()
		d := data{object: public, rows: "turns"}
		for _, t := range public.Turns {
			d.names = append(d.names, "node/"+t.Node)
		}
		return printData(out, o.output, d)
	}
}
