// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/spf13/pflag"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// addProbe adds --probe to a command that reads a cluster.
func (c *connection) addProbe(f *pflag.FlagSet) {
	f.BoolVar(&c.probe, "probe", false,
		"also look, read-only, whether the data of replicas that no engine serves are really in their directories; "+
			"needs the right to get and create pods/exec in the storage's namespace")
}

// lookAs looks as the roll was begun. What healing waits for may be seen in
// directories alone, and whoever goes on, on another machine perhaps, is told to
// say no more than run.
func (o *rollOptions) lookAs(plan decide.Plan) { o.conn.probe = o.conn.probe || plan.Probe }

// liveOnly refuses --probe for files, which have no machine behind them.
func (c *connection) liveOnly(files []string) error {
	if c.probe && len(files) > 0 {
		return usagef("--probe looks into the machines of a cluster: leave it out, or leave -f out")
	}
	return nil
}
