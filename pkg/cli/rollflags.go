// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func (o *rollOptions) complete(f *pflag.FlagSet) error {
	if err := refuseHabits(f); err != nil {
		return err
	}
	wanted, err := pairs(o.replacement)
	if err != nil {
		return err
	}
	o.wanted = wanted
	o.completePurpose()
	if err := o.planning.complete(); err != nil {
		return err
	}
	return o.policy.complete()
}

func (o *rollOptions) validate() error {
	c := o.commands
	switch {
	case len(o.nodes) > 0 && o.selector != "":
		return usagef("name nodes or give a selector, not both")
	case c.Replace != "" && (c.Retire != "" || c.Create != "" || c.DeleteNode):
		return usagef("--replace-command does it all: leave --retire-command, --create-command and --delete-node out")
	case c.Retire != "" && c.DeleteNode:
		return usagef("--retire-command and --delete-node both end the node: give one of them")
	case !o.goal.StaysOpen() && !o.yes && !asks(o.app) && o.dryRun == dryRunNone:
		return usagef("there is no terminal to ask on: run deletes or reboots nodes, so confirm it with --yes")
	}
	if err := o.validatePurpose(); err != nil {
		return err
	}
	if err := oneOf(o.output, outputText, outputJSON); err != nil {
		return err
	}
	if !slices.Contains([]string{dryRunNone, dryRunClient, dryRunServer}, o.dryRun) {
		return usagef("--dry-run=%s is none of none, client, server", o.dryRun)
	}
	return o.policy.validate()
}

// What --for says a machine goes for.
const (
	forReplacement = "replacement"
	forReboot      = "reboot"
)

func (o *rollOptions) addPurpose(f *pflag.FlagSet) {
	f.StringVar(&o.purpose, "for", "", "replacement, or reboot where the machine comes back with its disks; empty for what is in flight, else replacement")
}

func (o *rollOptions) completePurpose() {
	if o.commands.Reboot != "" && o.purpose == "" {
		o.purpose = forReboot
	}
	if o.purpose == forReboot {
		o.goal = o.goal.ToReboot()
	}
}

// validatePurpose refuses flags that make no sense for what the machine goes
// for.
func (o *rollOptions) validatePurpose() error {
	c := o.commands
	if o.purpose != "" {
		if err := oneOf(o.purpose, forReplacement, forReboot); err != nil {
			return usagef("--for=%s is neither %s nor %s", o.purpose, forReplacement, forReboot)
		}
	}
	if !o.goal.Reboots() {
		if c.Reboot != "" {
			return usagef("--reboot-command reboots, and --for=%s replaces: leave one of them out", forReplacement)
		}
		return nil
	}
	switch {
	case c.Replace != "" || c.Retire != "" || c.Create != "" || c.DeleteNode || len(o.wanted) > 0:
		return usagef("a machine that is rebooted comes back: leave --retire-command, --create-command, --replace-command, --delete-node and --replacement-selector out")
	case o.policy.policy.Strategy != policy.Auto:
		return usagef("--strategy says how replicas survive a replacement; a reboot leaves them where they are")
	case o.policy.policy.NoReplenishWait:
		return usagef("--no-replenish-wait has replicas rebuilt elsewhere that a reboot brings back: leave it out")
	}
	return nil
}
