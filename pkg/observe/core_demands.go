// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// podDemands is what of a pod decides on which nodes it fits.
type podDemands struct {
	Containers     []container          `json:"containers"`
	InitContainers []container          `json:"initContainers"`
	Overhead       map[string]string    `json:"overhead"`
	NodeSelector   map[string]string    `json:"nodeSelector"`
	Tolerations    []cluster.Toleration `json:"tolerations"`
	Affinity       struct {
		Node struct {
			Required struct {
				Terms []struct {
					Labels []cluster.Demand `json:"matchExpressions"`
					Fields []cluster.Demand `json:"matchFields"`
				} `json:"nodeSelectorTerms"`
			} `json:"requiredDuringSchedulingIgnoredDuringExecution"`
		} `json:"nodeAffinity"`
	} `json:"affinity"`
}

type container struct {
	// Restart is Always for a sidecar, which runs beside the containers.
	Restart   string `json:"restartPolicy"`
	Resources struct {
		Requests map[string]string `json:"requests"`
	} `json:"resources"`
}

// demand notes what the pod asks of a node. It requests what its containers
// request together, or what its largest init container does.
func (d *podDemands) demand(p *cluster.Pod) {
	p.CPU, p.Memory = milli(d.Overhead["cpu"]), whole(d.Overhead["memory"])
	var cpu, memory int64
	for _, c := range d.InitContainers {
		asks, takes := milli(c.Resources.Requests["cpu"]), whole(c.Resources.Requests["memory"])
		if c.Restart == "Always" {
			p.CPU, p.Memory = p.CPU+asks, p.Memory+takes
			continue
		}
		cpu, memory = max(cpu, asks), max(memory, takes)
	}
	for _, c := range d.Containers {
		p.CPU += milli(c.Resources.Requests["cpu"])
		p.Memory += whole(c.Resources.Requests["memory"])
	}
	p.CPU, p.Memory = max(p.CPU, cpu), max(p.Memory, memory)
	p.NodeSelector, p.Tolerations = d.NodeSelector, d.Tolerations
	for _, t := range d.Affinity.Node.Required.Terms {
		term := t.Labels
		for _, f := range t.Fields {
			f.Field = true
			term = append(term, f)
		}
		p.Affinity = append(p.Affinity, term)
	}
}

// milli and whole read a quantity, rounded up; one that is none counts nothing.
func milli(text string) int64 {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0
	}
	return q.MilliValue()
}

func whole(text string) int64 {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0
	}
	return q.Value()
}
