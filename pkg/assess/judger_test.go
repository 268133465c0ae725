// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// variants yields the value with one thing in it changed, for every thing that
// can be and in several ways. What is not on the way to the change shares its
// memory with the original, as from one look to the next.
func variants(v reflect.Value, yield func(reflect.Value)) {
	if t, ok := v.Interface().(time.Time); ok {
		for _, o := range []time.Time{{}, ago(1000 * time.Hour), ago(100 * time.Hour), ago(time.Minute), ago(-time.Minute), t.Add(time.Second)} {
			change(v, reflect.ValueOf(o), yield)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			variants(v.Field(i), func(f reflect.Value) {
				c := reflect.New(v.Type()).Elem()
				c.Set(v)
				c.Field(i).Set(f)
				yield(c)
			})
		}
	case reflect.Slice:
		variantsOfList(v, yield)
	case reflect.Map:
		for _, k := range v.MapKeys() {
			with := func(e reflect.Value) {
				c := reflect.MakeMap(v.Type())
				for _, o := range v.MapKeys() {
					c.SetMapIndex(o, v.MapIndex(o))
				}
				c.SetMapIndex(k, e) // none deletes it
				yield(c)
			}
			with(reflect.Value{})
			variants(v.MapIndex(k), with)
		}
	case reflect.Pointer:
		if v.IsNil() {
			yield(reflect.New(v.Type().Elem()))
			return
		}
		yield(reflect.Zero(v.Type()))
		variants(v.Elem(), func(e reflect.Value) {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(e)
			yield(c)
		})
	case reflect.String:
		for _, s := range []string{"", "n1", "n2", "v1", "disk-n1", "second-n2", "image", "/other", "before"} {
			change(v, reflect.ValueOf(s).Convert(v.Type()), yield)
		}
	default:
		for _, n := range []int{0, 1, 2, 3, 4, 5} {
			if v.Kind() == reflect.Bool {
				change(v, reflect.ValueOf(n%2 == 0), yield)
			} else if v.CanConvert(reflect.TypeFor[int]()) {
				change(v, reflect.ValueOf(n).Convert(v.Type()), yield)
			}
		}
	}
}

func variantsOfList(v reflect.Value, yield func(reflect.Value)) {
	with := func(bend func(reflect.Value) reflect.Value) {
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		yield(bend(c))
	}
	with(func(c reflect.Value) reflect.Value { return reflect.Append(c, reflect.Zero(v.Type().Elem())) })
	for i := range v.Len() {
		with(func(c reflect.Value) reflect.Value { return reflect.AppendSlice(c.Slice(0, i), v.Slice(i+1, v.Len())) })
		with(func(c reflect.Value) reflect.Value { return reflect.Append(c, v.Index(i)) })
		with(func(c reflect.Value) reflect.Value {
			c.Index(0).Set(v.Index(i))
			c.Index(i).Set(v.Index(0))
			return c
		})
		variants(v.Index(i), func(e reflect.Value) {
			with(func(c reflect.Value) reflect.Value {
				c.Index(i).Set(e)
				return c
			})
		})
	}
}

func change(from, to reflect.Value, yield func(reflect.Value)) {
	if !from.Equal(to) {
		yield(to)
	}
}

// neighbours are the snapshots that differ from it in one thing.
func neighbours(s *cluster.Snapshot) []*cluster.Snapshot {
	var out []*cluster.Snapshot
	variants(reflect.ValueOf(s).Elem(), func(v reflect.Value) {
		c := v.Interface().(cluster.Snapshot)
		out = append(out, &c)
	})
	return out
}

// as fails where the Judger's judgement is not that of Judge.
func (g *Judger) as(t interface{ Fatalf(string, ...any) }, s *cluster.Snapshot, p policy.Policy, now time.Time) {
	got, want := g.Judge(s, p, now), Judge(s, p, now)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("judged anew it is another:\n%s---\n%s%+v", say(got.Findings), say(want.Findings), s)
	}
}

// isOf fails where a volume that was not judged again is still the last look's:
// what no rule reads, such as its size, is told of it.
func (g *Judger) isOf(t *testing.T, s *cluster.Snapshot) {
	t.Helper()
	n := 0
	for i := range s.Storages {
		for k := range s.Storages[i].Volumes {
			if n < len(g.last.Volumes) && g.last.Volumes[n].Volume != &s.Storages[i].Volumes[k] {
				t.Fatalf("volume %d is one of another look", n)
			}
			n++
		}
	}
}

// Whatever changes between two looks, forth and back: nothing is kept that does
// not hold any more. A rule that reads something new fails here until ground.go
// compares it.
func TestJudger_AnyOneChangeIsSeen(t *testing.T) {
	t.Parallel()
	dice := newDice()
	world := rapid.Custom(func(t *rapid.T) *cluster.Snapshot { return dice.in(t).snapshot() })
	seen, kept := 0, 0
	for seed := range 8 {
		s, p := world.Example(seed), policy.Default()
		for _, next := range neighbours(s) {
			g := &Judger{}
			first := g.Judge(s, p, now())
			g.as(t, next, p, now())
			g.isOf(t, next)
			for i := range min(len(first.Volumes), len(g.last.Volumes)) {
				if a, b := &first.Volumes[i], &g.last.Volumes[i]; len(a.Replicas) > 0 && cluster.SameList(a.Replicas, b.Replicas) {
					kept++
				}
				seen++
			}
			g.as(t, s, p, now())
		}
	}
	if kept < seen/3 {
		t.Errorf("of %d judgements %d were kept: it saves nothing", seen, kept)
	}
	t.Logf("of %d judgements %d were kept", seen, kept)
}

// A long history of changes, with time going on, standing still and going back,
// and the policy of another roll now and then.
func TestJudger_AWholeHistoryIsJudgedAsEachLookAlone(t *testing.T) {
	t.Parallel()
	dice := newDice()
	rapid.Check(t, func(t *rapid.T) {
		d := dice.in(t)
		s, p, at, g := d.snapshot(), d.policy(), now(), &Judger{}
		for range 6 {
			g.as(t, s, p, at)
			all := neighbours(s)
			s = all[rapid.IntRange(0, len(all)-1).Draw(t, "change")]
			at = at.Add(pick(d, 0, time.Second, 11*time.Second, time.Minute, -20*time.Second))
			if d.rarely(12) {
				p = d.policy()
			}
			if d.rarely(12) {
				s = d.snapshot()
			}
		}
	})
}

func TestJudger_TellsNothingOfAWorldThatItDidNotSee(t *testing.T) {
	g := &Judger{}
	for range 3 {
		if j := g.Judge(nil, policy.Default(), now()); j.Verdict != cluster.VerdictUnknown || len(j.Volumes) > 0 {
			t.Errorf("nothing is %v", j.Verdict)
		}
	}
}

// One volume of ten thousand has changed.
func BenchmarkJudger(b *testing.B) {
	l := large(10000)
	g := &Judger{}
	g.Judge(l.s, l.pol, now())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		next := *l.s
		next.Storages = slices.Clone(l.s.Storages)
		next.Storages[0].Volumes = slices.Clone(l.s.Storages[0].Volumes)
		v := &next.Storages[0].Volumes[i%10000]
		v.Replicas = slices.Clone(v.Replicas)
		if j := g.Judge(&next, l.pol, now()); j.Verdict != cluster.Safe {
			b.Fatal(say(j.Findings[:1]))
		}
	}
}

// What holds for all volumes is compared by itself: each change here alters what
// is said of a volume that is the same object, on nodes and disks that are.
func TestJudger_WhatHoldsForAllVolumesIsSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		served bool
		world  func(*lab)
		bend   func(*lab)
		after  time.Duration
	}{
		"time goes back": {
			world: func(l *lab) { l.r(0).HealthyAt = now().Add(5 * time.Second) },
			bend:  func(*lab) {}, after: -10 * time.Second,
		},
		"the policy": {
			world: func(l *lab) { l.r(0).HealthyAt = l.node("w1").Created.Add(5 * time.Second) },
			bend:  func(l *lab) { l.pol.ClockSkew = time.Second },
		},
		"a machine was retired": {
			world: func(*lab) {},
			bend: func(l *lab) {
				l.s.Retired = []cluster.Retired{{Node: cluster.NodeRef{Name: "w1", UID: "earlier"}, At: ago(time.Hour)}}
			},
		},
		"a node's zone": {
			world: func(l *lab) {
				for i, zone := range []string{"b", "a", "a", "b"} {
					l.s.Nodes[i].Zone = zone
				}
			},
			bend: func(l *lab) { l.node("w3").Zone = "a" },
		},
		"nodes that may be missing": {
			world: func(l *lab) { l.s.Nodes = l.s.Nodes[:3] },
			bend: func(l *lab) {
				l.s.Gaps = []cluster.Gap{{Kind: "nodes", Reason: cluster.GapTruncated, Needed: true}}
			},
		},
		"the engine's node": {
			served: true,
			world:  func(l *lab) { l.v("data").Engine.Node = "w3" },
			bend:   func(l *lab) { l.node("w3").LeaseRenewed = ago(time.Hour) },
		},
		"who tells of the engine": {
			served: true,
			world:  func(l *lab) { l.v("data").Engine.Owner = "w3" },
			bend:   func(l *lab) { l.node("w3").LeaseRenewed = ago(time.Hour) },
		},
		"the image under it": {
			world: func(l *lab) {
				l.v("data").Base = "image"
				l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: "disk-w1", Ready: cluster.Yes, ReadyAt: ago(time.Hour)}}}}
			},
			bend: func(l *lab) { l.st().Bases = nil },
		},
		"nothing could be said": {
			world: func(l *lab) {
				l.s.Gaps = []cluster.Gap{{Kind: "replicas", Reason: cluster.GapFailed, Needed: true, OfStorage: true}}
			},
			bend: func(l *lab) { l.s.Gaps = nil },
		},
		"who reports": {
			world: func(l *lab) { l.st().Reporter = "" },
			bend:  func(l *lab) { l.st().Reporter = "manager" },
		},
		"another reports": {
			world: func(l *lab) { l.st().Reporter = "manager" },
			bend:  func(l *lab) { l.st().Reporter = "other" },
		},
		"who reports was not given": {
			world: func(l *lab) {
				l.s.Source, l.st().Reporter = cluster.SourceFiles, "manager"
				l.s.Gaps = []cluster.Gap{{Kind: "pods", Reason: cluster.GapNotGiven}}
			},
			bend: func(l *lab) { l.s.Gaps = nil },
		},
		"the namespace": {
			world: func(l *lab) { l.st().Reporter = "manager" },
			bend:  func(l *lab) { l.st().Namespace = "other" },
		},
		"the driver": {
			world: func(l *lab) { l.s.Persistent = nil },
			bend:  func(l *lab) { l.st().Driver = "other.example.org" },
		},
	} {
		l := newLab().detached("data", "w1", "w2", "w3")
		if c.served {
			l = newLab().attached("data", "w1", "w2")
		}
		c.world(l)
		g := &Judger{}
		before := g.Judge(l.s, l.pol, now())
		next := *l.s
		next.Nodes = slices.Clone(l.s.Nodes)
		next.Storages = slices.Clone(l.s.Storages)
		bent := &lab{s: &next, pol: l.pol}
		c.bend(bent)
		g.as(t, &next, bent.pol, now().Add(c.after))
		if after := Judge(&next, bent.pol, now().Add(c.after)); reflect.DeepEqual(before.Volumes[0].Findings, after.Volumes[0].Findings) &&
			reflect.DeepEqual(before.Volumes[0].Replicas, after.Volumes[0].Replicas) && before.Volumes[0].Driver == after.Volumes[0].Driver {
			t.Errorf("%s: the volume is judged as before, so nothing is shown", name)
		}
	}
}
