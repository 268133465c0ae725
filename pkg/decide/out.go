// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// cordon marks the node once every volume keeps its Floor without it (I2), by
// consistent reads: it begins what takes the node out.
func (t *tick) cordon() Decision {
	n := t.s.NodeByUID(t.planned.Node.UID)
	if n.Cordoned {
		return nil
	}
	if d := t.mayDrain(); d != nil {
		return d
	}
	return freshly(t.act(Action{Verb: Cordon, Why: "no pod may start on " + t.node()}))
}

// mayDrain waits until the node may be drained.
func (t *tick) mayDrain() Decision {
	p := t.j.MayDrain(t.planned.Node)
	if p.Verdict == cluster.Safe {
		return nil
	}
	return Wait{
		For: "every volume to keep its floor without " + t.node(), Left: messages(p.Findings),
		Progress: t.volumeToken(),
		Limit:    t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: t.short(),
	}
}

// short is what to do where a volume does not come to its floor. Others may have taken
// a node with its replicas meanwhile: what sleeps is mended before a turn, not in it.
func (t *tick) short() string {
	why := "kubectl safe-roll verify " + t.node() + " shows every reason"
	if len(Mendable(t.j)) > 0 {
		why += "; kubectl safe-roll abort puts " + t.node() + " back to use, and a new roll mends what lacks replicas before its first turn"
	}
	return why
}

// drain evicts what must go, a bounded batch at a time, and the storage's own
// pods last, when nothing needs them any more.
func (t *tick) drain() Decision {
	set := assess.Drain(t.s, t.policy(), t.planned.Node)
	if len(set.Blocked) > 0 {
		return t.refuse(set.Blocked, "move these pods yourself, or accept the risk by its name")
	}
	if len(set.Go)+len(set.Last) > 0 {
		if d := t.mayDrain(); d != nil {
			return d
		}
	}
	if len(set.Go) > 0 {
		return t.evict(set.Go, "pod")
	}
	if len(set.Last) > 0 {
		if d := t.nothingServed(); d != nil {
			return d
		}
		return freshly(t.evict(set.Last, "storage pod"))
	}
	if t.turn.DrainedAt.IsZero() {
		return Remember{Note: Note{Kind: Drained, Node: t.planned.Node, Says: t.node() + " is drained"}}
	}
	return nil
}

// freshly asks to decide a deed again from consistent reads, which others than
// the irreversible ones may need. With the storage's own pods the node's copies
// stop being written: what failed elsewhere a moment ago must be known by then.
func freshly(d Decision) Decision {
	if a, ok := d.(Act); ok {
		a.Fresh = true
		return a
	}
	return d
}

// nothingServed waits until no volume is served from the node: the storage's
// own pods carry those that are.
func (t *tick) nothingServed() Decision {
	var left []string
	for i := range t.s.Storages {
		for _, v := range t.s.Storages[i].Volumes {
			if v.Engine.Node == t.node() && v.Engine.Running != cluster.No {
				left = append(left, "volume "+v.Name+" is served from "+t.node())
			}
		}
	}
	for _, a := range t.s.Attachments {
		if a.Node == t.node() {
			left = append(left, "volume attachment "+a.Name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return Wait{
		For: Many(len(left), "volume") + " to leave " + t.node(), Left: left,
		Progress: hash(strings.Join(left, ",")),
		Limit:    t.policy().DrainLimit, LimitName: "drain limit",
		Stuck: "a volume stays attached to " + t.node() + " although its pods are gone: see who holds it",
	}
}

// evict chooses the next batch: pods with volumes one at a time, the others
// together. After a refusal the batch begins elsewhere, so that one pod that
// its budget holds does not keep the others.
func (t *tick) evict(pods []cluster.Pod, what string) Decision {
	var ready, left []cluster.Pod
	for _, p := range pods {
		left = append(left, p)
		if !p.Deleting {
			ready = append(ready, p)
		}
	}
	if len(ready) == 0 || len(ready) < len(left) && carriesVolume(left) {
		return t.waitForPods(left, what)
	}
	start := t.m.Refusals % len(ready)
	batch, volumes := []cluster.PodRef{}, 0
	for i := range ready {
		p := ready[(start+i)%len(ready)]
		if len(p.Claims) > 0 {
			volumes++
			if volumes > 1 {
				continue
			}
		}
		if len(batch) < t.policy().EvictBatch {
			batch = append(batch, p.Ref)
		}
	}
	return t.act(Action{
		Verb: EvictPods, Pods: batch,
		Why: leaving(batch, len(left), what, t.node()),
	})
}

// carriesVolume reports whether a pod that is on its way out still has a volume.
func carriesVolume(pods []cluster.Pod) bool {
	for _, p := range pods {
		if p.Deleting && len(p.Claims) > 0 {
			return true
		}
	}
	return false
}

func (t *tick) waitForPods(pods []cluster.Pod, what string) Decision {
	var left []string
	for _, p := range pods {
		left = append(left, "pod "+p.Ref.Namespace+"/"+p.Ref.Name)
	}
	return Wait{
		For: Many(len(left), what) + " to end on " + t.node(), Left: left,
		Progress: t.podToken(),
		Limit:    t.policy().DrainLimit, LimitName: "drain limit",
		Stuck: "a pod does not end: look at its finalizers and at its node's kubelet",
	}
}

// podToken changes whenever a pod comes to or leaves the node.
func (t *tick) podToken() string {
	var b strings.Builder
	for _, p := range t.s.Pods {
		if p.Node == t.node() {
			fmt.Fprintf(&b, "%s%v,", p.Ref.UID, p.Deleting)
		}
	}
	return hash(b.String())
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
