// SPDX-License-Identifier: Apache-2.0

package view

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Answer is what verify found: the judgement, and the answers about the nodes
// that were asked for.
type Answer struct {
	Judgement *assess.Judgement
	Nodes     []NodeAnswer
	// Extra are findings about the question itself, such as a selector that
	// matches nothing.
	Extra     []assess.Finding
	Catalogue Catalogue
}

// NodeAnswer answers the two questions about one node.
type NodeAnswer struct {
	Node      cluster.NodeRef
	MayDrain  assess.Permit
	MayDelete assess.Permit
}

// Verdict is the worst of whether every volume is whole and whether each named
// node may be drained. Whether a node may be deleted is told and does not
// count: before its drain it seldom may.
func (a Answer) Verdict() cluster.Verdict {
	v := a.Judgement.Verdict
	for _, n := range a.Nodes {
		v = v.Worse(n.MayDrain.Verdict)
	}
	for _, f := range a.Extra {
		switch f.Severity {
		case assess.Danger:
			v = v.Worse(cluster.Unsafe)
		case assess.Unclear:
			v = v.Worse(cluster.VerdictUnknown)
		case assess.Note:
		}
	}
	return v
}

// findings are those about the question, those of the judgement, then those that only the questions
// about nodes brought up, each once.
func (a Answer) findings() []assess.Finding {
	out := append(append([]assess.Finding(nil), a.Extra...), a.Judgement.Findings...)
	type key struct{ code, kind, ns, name, message string }
	of := func(f assess.Finding) key {
		return key{f.Code, f.Subject.Kind, f.Subject.Namespace, f.Subject.Name, f.Message}
	}
	seen := map[key]bool{}
	for _, f := range out {
		seen[of(f)] = true
	}
	for _, n := range a.Nodes {
		for _, f := range append(append([]assess.Finding(nil), n.MayDrain.Findings...), n.MayDelete.Findings...) {
			if !seen[of(f)] {
				seen[of(f)] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// observedAt is when the reading ended; for files, the time that ages were
// judged against; nil where nothing tells.
func (a Answer) observedAt() *time.Time {
	at := a.Judgement.Now
	if s := a.Judgement.Snapshot; s != nil && s.Source == cluster.SourceLive && !s.Look.Ended.IsZero() {
		at = s.Look.Ended
	}
	return stamp(at)
}

// stamp is a time for JSON: UTC, or null for none.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Verification returns the whole answer as the public type.
func (a Answer) Verification() v1alpha1.Verification {
	v := v1alpha1.Verification{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindVerification,
		Verdict: verdict(a.Verdict()), ObservedAt: a.observedAt(), Summary: a.Summary(),
		Volumes: []v1alpha1.Volume{}, Nodes: []v1alpha1.Node{}, Findings: a.Catalogue.Findings(a.findings()),
	}
	for vj := range a.Judgement.All() {
		v.Volumes = append(v.Volumes, volume(vj))
	}
	for _, n := range a.Nodes {
		v.Nodes = append(v.Nodes, node(n))
	}
	return v
}

// InTheWay are the volumes that stand in the way of a turn, as kind/name.
func (a Answer) InTheWay() []string {
	var out []string
	for i := range a.Judgement.Volumes {
		if v := &a.Judgement.Volumes[i]; !fine(v.Condition) {
			out = append(out, "volume/"+v.Volume.Name)
		}
	}
	return out
}

func verdict(v cluster.Verdict) v1alpha1.Verdict { return v1alpha1.Verdict(v.String()) }

func node(n NodeAnswer) v1alpha1.Node {
	return v1alpha1.Node{
		Name: n.Node.Name, UID: string(n.Node.UID),
		MayDrain: verdict(n.MayDrain.Verdict), MayDelete: verdict(n.MayDelete.Verdict),
	}
}

func volume(v *assess.VolumeJudgement) v1alpha1.Volume {
	out := v1alpha1.Volume{
		Name: v.Volume.Name, Namespace: v.ClaimNamespace, Claim: v.ClaimName,
		Want: v.Volume.Want, Good: v.Good, Leaving: v.Leaving, Condition: v.Word(),
		Replicas: make([]v1alpha1.Replica, 0, len(v.Replicas)),
	}
	for _, r := range v.Replicas {
		out.Replicas = append(out.Replicas, v1alpha1.Replica{
			Name: r.Replica.Name, Node: r.Replica.Node, Disk: r.Replica.DiskUUID,
			Standing: r.Standing.String(), Proof: r.Proof.String(), Code: r.Code, Evidence: facts(r.Evidence),
		})
	}
	return out
}

func read(fs []v1alpha1.Fact) []cluster.Fact {
	out := make([]cluster.Fact, 0, len(fs))
	for _, f := range fs {
		out = append(out, cluster.Fact{Name: f.Name, Value: f.Value})
	}
	return out
}

func facts(fs []cluster.Fact) []v1alpha1.Fact {
	out := make([]v1alpha1.Fact, 0, len(fs))
	for _, f := range fs {
		out = append(out, v1alpha1.Fact{Name: f.Name, Value: f.Value})
	}
	return out
}
