// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"iter"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

// settings yields the settings of a new Longhorn, as the model has them, and
// the engine image.
func (s Shape) settings() iter.Seq[made] {
	return func(yield func(made) bool) {
		m := model.New(model.Options{Namespace: system}, memdisk.New())
		m.Step(born(ageOfNodes).Time) // the first step installs them
		for _, o := range m.List(model.Settings) {
			if !yield(made{longhornKey("settings", o.GetName()), o, "longhorn-manager"}) {
				return
			}
		}
		image := &longhorn.EngineImage{
			TypeMeta: longhornType("EngineImage"), ObjectMeta: meta(system, "ei-"+id("image", 0)[:8], ageOfNodes, nil),
			Spec:   longhorn.EngineImageSpec{Image: engineIs},
			Status: longhorn.EngineImageStatus{State: longhorn.EngineImageStateDeployed, Conditions: []longhorn.Condition{condition("ready", longhorn.ConditionStatusTrue)}},
		}
		image.Status.NodeDeploymentMap = map[string]bool{}
		for n := range s.Nodes {
			image.Status.NodeDeploymentMap[nodeName(n)] = true
		}
		yield(made{longhornKey("engineimages", image.Name), image, "longhorn-manager"})
	}
}
