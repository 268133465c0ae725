// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"reflect"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestReadPod_WhatItAsksOfANode(t *testing.T) {
	_, p, err := readPod([]byte(`{"metadata": {"name": "p"}, "spec": {
		"overhead": {"cpu": "10m"},
		"containers": [{"resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}}, {"resources": {"requests": {"cpu": "1"}}}],
		"initContainers": [{"resources": {"requests": {"memory": "2Gi"}}}, {"restartPolicy": "Always", "resources": {"requests": {"cpu": "40m"}}}],
		"nodeSelector": {"disk": "ssd"},
		"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute"}],
		"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
			{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["x"]}], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1"]}]}]}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.CPU != 1300 || p.Memory != 2<<30 {
		t.Errorf("requests %dm and %d bytes", p.CPU, p.Memory)
	}
	want := cluster.Pod{
		NodeSelector: map[string]string{"disk": "ssd"},
		Tolerations:  []cluster.Toleration{{Key: "a", Operator: "Exists", Effect: "NoExecute"}},
		Affinity: cluster.Affinity{{
			{Key: "zone", Operator: "In", Values: []string{"x"}},
			{Key: "metadata.name", Operator: "In", Values: []string{"w1"}, Field: true},
		}},
	}
	got := cluster.Pod{NodeSelector: p.NodeSelector, Tolerations: p.Tolerations, Affinity: p.Affinity}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestReadNode_WhatPodsMayRequestOfIt(t *testing.T) {
	_, n, err := readNode([]byte(`{"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "3920m", "memory": "16Gi"}}}`))
	if err != nil || n.CPU != 3920 || n.Memory != 16<<30 {
		t.Errorf("%dm and %d bytes, %v", n.CPU, n.Memory, err)
	}
}
