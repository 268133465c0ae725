// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// orderAuto is as given for nodes that were named, and by spare for those that
// a selector found.
const orderAuto = "auto"

// planningFlags are what changes a plan beside the policy.
type planningFlags struct {
	order, disk string
	replacement forecast.Replacement
}

func (p *planningFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.order, "order", orderAuto,
		"which node goes first: given (as named), spare (the one that the volumes can spare best, control plane last), or auto (given; spare for a selector)")
	f.StringVar(&p.disk, "replacement-disk", "", "how large each disk of a replacement is, such as 200Gi (default: as large as the old node's)")
}

func (p *planningFlags) complete() error {
	if err := oneOfOrders(p.order); err != nil || p.disk == "" {
		return err
	}
	size, err := resource.ParseQuantity(p.disk)
	if err != nil || size.Value() <= 0 {
		return usagef("--replacement-disk=%s is no size of a disk, such as 200Gi", p.disk)
	}
	p.replacement.Disk = size.Value()
	return nil
}

func oneOfOrders(order string) error {
	switch order {
	case "", orderAuto, string(decide.OrderGiven), string(decide.OrderSpare):
		return nil
	}
	return usagef("--order=%s is none of given, spare, auto", order)
}

// ask puts them into a request for nodes that were named, or selected.
func (p *planningFlags) ask(req *decide.Request, selector string) {
	req.Replacement, req.Order = p.replacement, decide.OrderGiven
	if p.order == string(decide.OrderSpare) || p.order == orderAuto && selector != "" {
		req.Order = decide.OrderSpare
	}
}
