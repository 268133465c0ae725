// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Whatever the facts are, there is an answer: values that no plugin would
// write, words that do not exist and lists cut in half make no rule fall over,
// and an empty answer to a question is never Safe for a node that is not there.
func TestJudge_AnswersWhateverTheFactsAre(t *testing.T) {
	t.Parallel()
	box := newDice()
	ask := func(t *rapid.T) {
		d := box.in(t)
		s, p, turn := d.snapshot(), d.policy(), d.turn()
		for range rapid.IntRange(0, 6).Draw(t, "scrambles") {
			d.scramble(reflect.ValueOf(s).Elem())
		}
		j := Judge(s, p, pick(d, now(), time.Time{}))
		first := j.Digest()
		for _, ref := range []cluster.NodeRef{{Name: "n1", UID: "uid-n1"}, {}, {Name: "nobody", UID: "x"}} {
			drain, reboot, del := j.MayDrain(ref), j.MayReboot(ref), j.MayDelete(ref, turn)
			if ref.Name != "n1" && drain.Verdict == cluster.Safe && s.NodeByUID(ref.UID) == nil {
				t.Fatalf("a node that is not there may go: %v", drain)
			}
			if reboot.Verdict == cluster.Safe && drain.Verdict != cluster.Safe {
				t.Fatalf("the node may be rebooted and not drained\n%s", say(drain.Findings))
			}
			if del.Verdict == cluster.Safe && reboot.Verdict != cluster.Safe {
				t.Fatalf("the node may be deleted and not rebooted\n%s", say(reboot.Findings))
			}
			Drain(s, p, ref)
		}
		for i := range j.Volumes {
			vj := &j.Volumes[i]
			if !vj.Waived && (vj.Condition == ConditionUnknown || vj.Condition == Busy || vj.Condition == Lost || vj.Condition == Degraded) && j.Verdict == cluster.Safe {
				t.Fatalf("safe with volume %s %v", vj.Volume.Name, vj.Condition)
			}
			for k := range vj.Replicas {
				if rj := &vj.Replicas[k]; (rj.Standing == cluster.StandingGood) != (rj.Code == "") && len(rj.Replica.Doubts)+len(vj.Volume.Doubts) == 0 {
					t.Fatalf("%v with code %q", rj.Standing, rj.Code)
				}
			}
		}
		if again := Judge(s, p, j.Now).Digest(); s.Source != cluster.SourceFiles && again != first {
			t.Fatalf("digests %s and %s of the same facts", first, again)
		}
	}
	for range rounds / 10 {
		rapid.Check(t, ask)
	}
}

// scramble sets one value somewhere below v to nothing or to nonsense.
func (d dice) scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(pick(d, time.Time{}, now(), ago(-1e6*time.Hour), time.Unix(math.MaxInt32*1000, 0))))
			return
		}
		if v.NumField() > 0 {
			d.scramble(v.Field(rapid.IntRange(0, v.NumField()-1).Draw(d.t, "field")))
		}
	case reflect.Slice:
		n := v.Len()
		switch rapid.IntRange(0, 5).Draw(d.t, "slice") {
		case 0:
			v.SetZero()
		case 1:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		case 2:
			if n > 0 {
				v.Set(reflect.Append(v, v.Index(0)))
			}
		default:
			if n > 0 {
				d.scramble(v.Index(rapid.IntRange(0, n-1).Draw(d.t, "index")))
			}
		}
	case reflect.String:
		v.SetString(pick(d, "", "n1", "v0", "disk-n1", "%s %d", driver))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8:
		v.SetUint(uint64(pick(d, 0, 1, 2, 3, 4, 5, 6, 7, 200)))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(pick(d, 0, -1, 1, math.MaxInt32)))
	}
}
