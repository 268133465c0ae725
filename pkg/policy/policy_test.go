// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"
	"testing"
	"time"
)

func TestDefault_IsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

// The second look must not begin before Kubernetes itself would have noticed a
// machine that died right after the first (node-monitor-grace-period, 50 s).
func TestDefault_TwoLooksOutlastTheNodeMonitor(t *testing.T) {
	if d := Default().LookInterval; d < 50*time.Second {
		t.Errorf("looks are %v apart", d)
	}
}

func TestValidate_NamesTheFieldThatMakesNoSense(t *testing.T) {
	for want, bend := range map[string]func(*Policy){
		"strategy":               func(p *Policy) { p.Strategy = "hope" },
		"fewest replicas":        func(p *Policy) { p.MinReplicas = -1 },
		"woken":                  func(p *Policy) { p.MaxWoken = 0 },
		"evicted":                func(p *Policy) { p.MaxEvicted = 0 },
		"pods in a pass":         func(p *Policy) { p.EvictBatch = 0 },
		"lease freshness":        func(p *Policy) { p.LeaseFresh = 0 },
		"clock skew":             func(p *Policy) { p.ClockSkew = -time.Second },
		"look interval":          func(p *Policy) { p.LookInterval = LeastLookInterval - 1 },
		"drain limit":            func(p *Policy) { p.DrainLimit = 0 },
		"evacuation limit":       func(p *Policy) { p.EvacuateLimit = 0 },
		"retirement limit":       func(p *Policy) { p.RetireLimit = 0 },
		"join limit":             func(p *Policy) { p.JoinLimit = 0 },
		"the rebuild limit":      func(p *Policy) { p.RebuildLimit = 0 },
		"settle limit":           func(p *Policy) { p.SettleLimit = 0 },
		"the longest wait":       func(p *Policy) { p.LongestWait = 0 },
		"the command limit must": func(p *Policy) { p.CommandLimit = 0 },
	} {
		p := Default()
		bend(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestValidate_KnowsEveryStrategy(t *testing.T) {
	for _, s := range []Strategy{Auto, Evict, Refill} {
		p := Default()
		p.Strategy = s
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestFloor(t *testing.T) {
	for _, c := range []struct{ fewest, want, need, floor int }{
		{0, 1, 1, 1},
		{0, 2, 1, 2},
		{0, 3, 1, 2},
		{0, 4, 1, 3},
		{0, 6, 4, 5},
		{0, 5, 5, 5},
		{1, 2, 1, 1},
		{1, 3, 2, 2},
		{3, 2, 1, 2},
		{3, 5, 1, 3},
	} {
		p := Default()
		p.MinReplicas = c.fewest
		if got := p.Floor(c.want, c.need); got != c.floor {
			t.Errorf("fewest %d, want %d, need %d: floor %d, not %d", c.fewest, c.want, c.need, got, c.floor)
		}
	}
}

// Whatever the policy, nobody goes below what holds the data, nor above what
// there is to have.
func TestFloor_IsNeverBelowTheDataNorAboveTheWhole(t *testing.T) {
	for fewest := range 6 {
		for want := 1; want < 8; want++ {
			for need := 1; need <= want; need++ {
				p := Policy{MinReplicas: fewest}
				if f := p.Floor(want, need); f < need || f > want {
					t.Errorf("fewest %d, want %d, need %d: floor %d", fewest, want, need, f)
				}
			}
		}
	}
}

func TestAccepts_ByCodeAndName(t *testing.T) {
	p := Policy{Accepted: []Risk{{Code: "a/b", Name: "x"}, {Code: "c/d"}}}
	for _, c := range []struct {
		code, name string
		want       bool
	}{
		{"a/b", "x", true}, {"a/b", "y", false}, {"a/b", "", false}, {"c/d", "y", true}, {"c/d", "", true}, {"a/d", "x", false}, {"", "x", false},
	} {
		if got := p.Accepts(c.code, c.name); got != c.want {
			t.Errorf("%s:%s: %v", c.code, c.name, got)
		}
	}
}
