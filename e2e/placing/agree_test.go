// SPDX-License-Identifier: Apache-2.0

package placing_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/placing"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/placement"
)

// clusters is how many random ones are asked about.
var clusters = flag.Uint64("clusters", 2000, "how many random clusters are asked about")

// gone is the node that is evicted.
const gone = "w1"

// Bounds of docs/forecast.md, in percent: of nodes that are said to be emptied,
// so many are; and of those that are, so many are said to be.
const (
	leastPrecision = 99
	leastRecall    = 94
)

// TestForecast_AgreesWithLonghornsOwnCode asks the unmodified code of Longhorn
// about random clusters: about each volume by itself, where every difference is
// one of rules and must be of a kind that is known and errs on the side of
// caution; and about whole nodes, where it matters too in which order the
// volumes come, which nobody can know beforehand.
func TestForecast_AgreesWithLonghornsOwnCode(t *testing.T) {
	o, err := placing.Start(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for name, leaving := range map[string]string{"a node is evicted": gone, "what is lacking is made": ""} {
		t.Run(name, func(t *testing.T) {
			c := comparison{leaving: leaving}
			for seed := range *clusters {
				q := draw(t, seed).question(leaving)
				a, err := o.Ask(q)
				if err != nil {
					t.Fatal(err)
				}
				c.compare(seed, snapshot(t, q), a)
			}
			c.report(t)
		})
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
}

// comparison is of what was said of many clusters with what Longhorn did.
type comparison struct {
	leaving string
	// alone is of volumes by themselves, together of all at once, whole of
	// clusters: whether everything has a place.
	alone, together, whole tally
	// same places were taken to the very disk, others not.
	same, others int
	waited       int
}

func (c *comparison) compare(seed uint64, s *cluster.Snapshot, a placing.Answer) {
	placers := map[string]forecast.Placer{longhorn.Driver: placement.Placer{}}
	f := forecast.Begin(s, placers).Evict(c.leaving) // with no node, what is lacking
	said, was, early := true, true, false
	for i := range s.Storages[0].Volumes {
		v := &s.Storages[0].Volumes[i]
		if !c.concerned(v) {
			continue
		}
		if !standing(&s.Storages[0], v, c.leaving) {
			c.waited, early = c.waited+1, true
			continue
		}
		places, why := byItself(s, v, c.leaving)
		fits := !slices.Contains(a.ShortAlone, v.Name)
		agreed := (why == "") == fits
		c.alone.add(why == "", fits, miss{seed, v.Name, why, kindOf(s, v, why)})
		switch {
		case why != "" || !fits:
		case slices.Equal(places, made(a.Alone[v.Name])):
			c.same++
		default:
			c.others++
		}
		stays := slices.Contains(a.Short, v.Name)
		why = stuck(f, v.Name)
		kind := kindOf(s, v, why)
		if agreed {
			kind = byOrder
		}
		c.together.add(why == "", !stays, miss{seed, v.Name, why, kind})
		said, was = said && why == "", was && !stays
	}
	if !early {
		c.whole.add(said, was, miss{seed: seed})
	}
}

// concerned: the volume has a replica on the leaving node; or it was used, so
// that what it lacks is made. One without any usable replica is lost, which is
// not for a forecast to say.
func (c *comparison) concerned(v *cluster.Volume) bool {
	usable, there := false, c.leaving == ""
	for _, r := range v.Replicas {
		if !r.Deleting {
			usable = usable || r.Claim != cluster.Failed && (r.Claim != cluster.Untouched || c.leaving != "")
			there = there || r.Node == c.leaving
		}
	}
	return usable && there
}

func (c *comparison) report(t *testing.T) {
	t.Logf("%d clusters; %d volumes with a sibling that is not there are not asked about: nothing is moved before it is", *clusters, c.waited)
	t.Logf("volumes by themselves: %s; %d of %d to the very disk", &c.alone, c.same, c.same+c.others)
	t.Logf("volumes together: %s", &c.together)
	t.Logf("clusters: %s", &c.whole)
	c.alone.kinds(t, "by themselves")
	c.together.kinds(t, "together")
	for _, m := range c.alone.hopeful {
		t.Errorf("seed %d, volume %s: said to fit, and Longhorn finds no place", m.seed, m.volume)
	}
	for _, m := range c.alone.gloomy {
		if m.kind == "" {
			t.Errorf("seed %d, volume %s: Longhorn finds a place, and it is not known why not: %s", m.seed, m.volume, m.why)
		}
	}
	if c.whole.precision() < leastPrecision || c.whole.recall() < leastRecall {
		t.Errorf("precision below %d %% or recall below %d %%", leastPrecision, leastRecall)
	}
}
