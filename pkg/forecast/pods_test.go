// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// TestPods_APodFitsElsewhereOrItSaysWhy has a pod on w1 of two nodes.
func TestPods_APodFitsElsewhereOrItSaysWhy(t *testing.T) {
	in := func(key string, values ...string) cluster.Affinity {
		return cluster.Affinity{{{Key: key, Operator: "In", Values: values}}}
	}
	for name, c := range map[string]struct {
		change func(pod *cluster.Pod, other *cluster.Node, s *cluster.Snapshot)
		why    string // empty: it fits
	}{
		"nothing asked":        {func(*cluster.Pod, *cluster.Node, *cluster.Snapshot) {}, ""},
		"cordoned":             {func(_ *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) { n.Cordoned = true }, "w2 is cordoned"},
		"not ready":            {func(_ *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) { n.Ready = cluster.Unknown }, "w2 is not ready"},
		"being deleted":        {func(_ *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) { n.Deleting = true }, "w2 is being deleted"},
		"room for its CPU":     {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) { p.CPU = 1000 }, ""},
		"too much CPU":         {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) { p.CPU = 1001 }, "w2 has 1000m of CPU left, and it requests 1001m"},
		"too much memory":      {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) { p.Memory = 3 << 30 }, "w2 has 2048 MiB of memory left, and it requests 3072"},
		"no allocatable known": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) { p.CPU, n.CPU = 9000, 0 }, ""},
		"a finished neighbour": {func(p *cluster.Pod, _ *cluster.Node, s *cluster.Snapshot) { p.CPU = 2000; s.Pods[1].Finished = true }, ""},
		"selector met": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			p.NodeSelector = map[string]string{"a": "b"}
			n.Labels = p.NodeSelector
		}, ""},
		"selector not met": {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) {
			p.NodeSelector = map[string]string{"a": "b"}
		}, "w2 is not a node that it asks for"},
		"affinity met": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			p.Affinity = in("a", "x", "b")
			n.Labels = map[string]string{"a": "b"}
		}, ""},
		"affinity not met": {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) { p.Affinity = in("a", "b") }, "not a node that it asks for"},
		"affinity by name": {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) {
			p.Affinity = in("metadata.name", "w1")
			p.Affinity[0][0].Field = true
		}, "not a node that it asks for"},
		"affinity never heard": {func(p *cluster.Pod, _ *cluster.Node, _ *cluster.Snapshot) {
			p.Affinity = cluster.Affinity{{{Key: "a", Operator: "Near"}}}
		}, "not a node that it asks for"},
		"greater than": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			p.Affinity, n.Labels = cluster.Affinity{{{Key: "a", Operator: "Gt", Values: []string{"5"}}}}, map[string]string{"a": "7"}
		}, ""},
		"does not exist": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			p.Affinity, n.Labels = cluster.Affinity{{{Key: "a", Operator: "DoesNotExist"}}}, map[string]string{"a": ""}
		}, "not a node that it asks for"},
		"a taint": {func(_ *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) { n.Taints = []string{"a=b:NoSchedule"} }, "w2 has the taint a=b:NoSchedule"},
		"a taint preferred": {func(_ *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			n.Taints = []string{"a=b:PreferNoSchedule"}
		}, ""},
		"a taint tolerated": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			n.Taints = []string{"a=b:NoSchedule"}
			p.Tolerations = []cluster.Toleration{{Key: "a", Value: "b"}}
		}, ""},
		"another value": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			n.Taints = []string{"a=b:NoSchedule"}
			p.Tolerations = []cluster.Toleration{{Key: "a", Value: "c"}}
		}, "taint"},
		"another effect": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			n.Taints = []string{"a=b:NoSchedule"}
			p.Tolerations = []cluster.Toleration{{Key: "a", Operator: "Exists", Effect: "NoExecute"}}
		}, "taint"},
		"everything allowed": {func(p *cluster.Pod, n *cluster.Node, _ *cluster.Snapshot) {
			n.Taints = []string{"a=b:NoSchedule"}
			p.Tolerations = []cluster.Toleration{{Operator: "Exists"}}
		}, ""},
		"a volume that lies on w1": {func(p *cluster.Pod, _ *cluster.Node, s *cluster.Snapshot) {
			p.Claims = []string{"c"}
			s.Persistent = []cluster.PersistentVolume{{ClaimNamespace: "ns", ClaimName: "c", Hostnames: []string{"w1"}}}
		}, "w2 cannot reach its volume"},
		"no other node": {func(_ *cluster.Pod, _ *cluster.Node, s *cluster.Snapshot) { s.Nodes = s.Nodes[:1] }, "no other node"},
	} {
		s := &cluster.Snapshot{
			Nodes: []cluster.Node{{Ref: cluster.NodeRef{Name: "w1"}, Ready: cluster.Yes}, {Ref: cluster.NodeRef{Name: "w2"}, Ready: cluster.Yes, CPU: 2000, Memory: 3 << 30}},
			Pods: []cluster.Pod{
				{Ref: cluster.PodRef{Namespace: "ns", Name: "p", UID: "p"}, Node: "w1", Owner: cluster.OwnerOther},
				{Ref: cluster.PodRef{Namespace: "ns", Name: "q", UID: "q"}, Node: "w2", Owner: cluster.OwnerOther, CPU: 1000, Memory: 1 << 30},
				{Ref: cluster.PodRef{Namespace: "ns", Name: "d", UID: "d"}, Node: "w1", Owner: cluster.OwnerDaemonSet, CPU: 9000},
			},
		}
		c.change(&s.Pods[0], &s.Nodes[1], s)
		got := forecast.Pods(s, "w1")
		if len(got) > 1 || (got["p"] == "") != (c.why == "") || !strings.Contains(got["p"], c.why) {
			t.Errorf("%s: %q, want %q", name, got, c.why)
		}
	}
}
