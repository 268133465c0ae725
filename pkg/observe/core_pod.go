// SPDX-License-Identifier: Apache-2.0

package observe

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// mirrorAnnotation marks the mirror of a pod that the kubelet runs from a file.
const mirrorAnnotation = "kubernetes.io/config.mirror"

type podSpec struct {
	Node    string `json:"nodeName"`
	Volumes []struct {
		Name  string `json:"name"`
		Claim *struct {
			Name string `json:"claimName"`
		} `json:"persistentVolumeClaim"`
		Ephemeral *struct{} `json:"ephemeral"`
		EmptyDir  *struct{} `json:"emptyDir"`
		HostPath  *struct{} `json:"hostPath"`
	} `json:"volumes"`
	podDemands
}

type podStatus struct {
	Phase      string            `json:"phase"`
	Conditions narrow.Conditions `json:"conditions"`
}

func readPod(item []byte) (cluster.UID, pod, error) {
	o, err := decode[podSpec, podStatus](kindPod, item)
	if err != nil {
		return "", pod{}, err
	}
	m := o.Metadata
	p := pod{Pod: cluster.Pod{
		Ref:  cluster.PodRef{Namespace: m.Namespace, Name: m.Name, UID: m.UID},
		Node: o.Spec.Node, Deleting: m.Deleted != nil, Labels: m.Labels,
		Finished: o.Status.Phase == "Succeeded" || o.Status.Phase == "Failed",
	}}
	p.Ready, _ = o.Status.Conditions.Of("Ready")
	for _, v := range o.Spec.Volumes {
		switch {
		case v.Claim != nil:
			p.Claims = append(p.Claims, v.Claim.Name)
		case v.Ephemeral != nil: // its claim is named after pod and volume
			p.Claims = append(p.Claims, m.Name+"-"+v.Name)
		}
		p.EmptyDir = p.EmptyDir || v.EmptyDir != nil
		p.HostPath = p.HostPath || v.HostPath != nil
	}
	p.owned(m)
	o.Spec.demand(&p.Pod)
	return m.key(), p, nil
}

// owned notes the pod's owner, as far as the pod itself tells.
func (p *pod) owned(m meta) {
	p.Owner = cluster.OwnerNone
	for _, o := range m.Owners {
		if !o.Controller {
			continue
		}
		p.Owner, p.OwnerName = cluster.OwnerOther, o.Kind+"/"+o.Name
		if o.Kind == kindDaemonSet {
			p.Owner, p.DaemonSet = cluster.OwnerUnknown, m.Namespace+"/"+o.Name
		}
	}
	if _, mirror := m.Annotations[mirrorAnnotation]; mirror {
		p.Owner, p.DaemonSet = cluster.OwnerStatic, ""
	}
}

func readDaemonSet(item []byte) (cluster.UID, string, error) {
	o, err := decode[struct{}, struct{}](kindDaemonSet, item)
	if err != nil {
		return "", "", err
	}
	return o.Metadata.key(), o.Metadata.Namespace + "/" + o.Metadata.Name, nil
}

func readBudget(item []byte) (cluster.UID, budget, error) {
	o, err := decode[struct {
		Selector *metav1.LabelSelector `json:"selector"`
	}, struct {
		Allowed  int `json:"disruptionsAllowed"`
		Healthy  int `json:"currentHealthy"`
		Desired  int `json:"desiredHealthy"`
		Expected int `json:"expectedPods"`
	}](kindBudget, item)
	if err != nil {
		return "", budget{}, err
	}
	// In policy/v1 no selector selects nothing, and an empty one everything in
	// the namespace.
	selector, err := metav1.LabelSelectorAsSelector(o.Spec.Selector)
	if err != nil {
		return "", budget{}, err
	}
	m, s := o.Metadata, o.Status
	return m.key(), budget{
		Budget: cluster.Budget{
			Namespace: m.Namespace, Name: m.Name, UID: m.UID,
			Allowed: s.Allowed, Healthy: s.Healthy, Desired: s.Desired, Expected: s.Expected,
		},
		selector: selector,
	}, nil
}
