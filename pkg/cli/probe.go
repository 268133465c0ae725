// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/spf13/pflag"

// addProbe adds --probe to a command that reads a cluster. It changes what is
// observed, not what is decided, so no plan remembers it: whoever goes on with
// a roll says it again.
func (c *connection) addProbe(f *pflag.FlagSet) {
	f.BoolVar(&c.probe, "probe", false,
		"also look, read-only, whether the data of replicas that no engine serves are really in their directories; "+
			"needs the right to get and create pods/exec in the storage's namespace")
}

// liveOnly refuses --probe for files, which have no machine behind them.
func (c *connection) liveOnly(files []string) error {
	if c.probe && len(files) > 0 {
		return usagef("--probe looks into the machines of a cluster: leave it out, or leave -f out")
	}
	return nil
}
