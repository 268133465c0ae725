// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func (p *procedure) eachVolume(visit func(*longhornapi.Volume) bool) bool {
	for _, o := range p.model.List(model.Volumes) {
		if v, ok := o.(*longhornapi.Volume); ok && !visit(v) {
			return false
		}
	}
	return true
}

func everyHealthy(p *procedure, _ *machine) error {
	return p.wait("a volume is not healthy", func() bool {
		return p.eachVolume(func(v *longhornapi.Volume) bool { return v.Status.Robustness == longhornapi.VolumeRobustnessHealthy })
	})
}

func noneDegraded(p *procedure, _ *machine) error {
	return p.wait("a volume is degraded", func() bool {
		return p.eachVolume(func(v *longhornapi.Volume) bool {
			return v.Status.Robustness != longhornapi.VolumeRobustnessDegraded && v.Status.Robustness != longhornapi.VolumeRobustnessFaulted
		})
	})
}

func enginesHealthy(p *procedure, _ *machine) error {
	return p.wait("the volume of a running engine is not healthy", func() bool {
		return p.eachVolume(func(v *longhornapi.Volume) bool {
			return v.Status.State != longhornapi.VolumeStateAttached || v.Status.Robustness == longhornapi.VolumeRobustnessHealthy
		})
	})
}

// evictByArticle asks the storage to move everything, and looks at the map of
// scheduled replicas of the node's disks.
func evictByArticle(p *procedure, n *machine) error {
	p.must(p.model.Patch(model.Ref{Kind: model.Nodes, Name: n.name}, []byte(`{"spec":{"allowScheduling":false,"evictionRequested":true}}`)))
	return p.wait("a replica is still scheduled there", func() bool {
		o := p.placement(n.name)
		if o == nil {
			return true
		}
		for _, d := range o.Status.DiskStatus {
			if len(d.ScheduledReplica) > 0 {
				return false
			}
		}
		return true
	})
}

// enoughNodes refuses where the node's replicas could go nowhere.
func enoughNodes(p *procedure, n *machine) error {
	fits := p.eachVolume(func(v *longhornapi.Volume) bool { return v.Spec.NumberOfReplicas < p.c.Workers })
	if !fits {
		return fmt.Errorf("%w: too few storage nodes without %s", errRefused, n.name)
	}
	return nil
}

// healthyElsewhere evicts, and counts, for every volume with a replica on the
// node, the replicas on nodes of other names that were healthy and have not
// failed: whether such a node or its disk exists is not asked.
func healthyElsewhere(p *procedure, n *machine) error {
	p.must(p.model.Patch(model.Ref{Kind: model.Nodes, Name: n.name}, []byte(`{"spec":{"allowScheduling":false,"evictionRequested":true}}`)))
	return p.wait("too few healthy replicas elsewhere", func() bool {
		return p.eachVolume(func(v *longhornapi.Volume) bool {
			here, elsewhere := 0, 0
			for _, r := range p.replicas(v.Name) {
				switch {
				case r.Spec.NodeID == n.name:
					here++
				case r.Spec.FailedAt == "" && r.Spec.HealthyAt != "":
					elsewhere++
				}
			}
			return here == 0 || elsewhere >= v.Spec.NumberOfReplicas
		})
	})
}

// cleanStale deletes the replicas that name the node that is gone.
func cleanStale(p *procedure, n *machine) error {
	for _, v := range p.volumes {
		for _, r := range p.replicas(v.name) {
			if r.Spec.NodeID == n.name {
				p.must(p.model.Delete(model.Ref{Kind: model.Replicas, Name: r.Name}))
			}
		}
	}
	return nil
}

func (w *World) replicas(volume string) []*longhornapi.Replica {
	var out []*longhornapi.Replica
	for _, o := range w.model.List(model.Replicas) {
		if r, ok := o.(*longhornapi.Replica); ok && r.Spec.VolumeName == volume {
			out = append(out, r)
		}
	}
	return out
}
