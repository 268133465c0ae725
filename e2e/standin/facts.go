// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"cmp"
	"slices"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// tellFacts tells the model what Kubernetes says, and which machines really run.
func (s *Standin) tellFacts() {
	nodes, err := s.watched.kube.Core().V1().Nodes().Lister().List(labels.Everything())
	if err != nil {
		return // it is a read from memory
	}
	pods, err := s.watched.kube.Core().V1().Pods().Lister().List(labels.Everything())
	if err != nil {
		return
	}
	s.disks.machines = map[string]hollow.Node{}
	for _, n := range s.machines.Nodes() {
		if n.On {
			s.disks.machines[n.Name] = n
		}
	}
	own := slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return p.Namespace != Namespace })
	known := map[string]bool{}
	for _, n := range nodes {
		known[n.Name] = true
		s.model.SetNode(n.Name, s.nodeFacts(n, own))
	}
	for _, o := range s.model.List(model.Nodes) {
		if !known[o.GetName()] {
			s.model.RemoveNode(o.GetName())
		}
	}
	for name := range s.told {
		if !known[name] {
			s.model.RemoveNode(name)
		}
	}
	s.told = known
	s.tellManagerPods(own)
	s.tellClaims(pods)
}

// nodeFacts describes a node. A Node object whose machine is off, or is another
// one by now, stands for a machine that does not run.
func (s *Standin) nodeFacts(n *corev1.Node, pods []*corev1.Pod) model.NodeFacts {
	machine, on := s.disks.machines[n.Name]
	on = on && machine.UID == n.UID
	f := model.NodeFacts{
		UID: n.UID, Unschedulable: n.Spec.Unschedulable, PoweredOff: !on, Boot: machine.BootID,
		Zone: n.Labels[corev1.LabelTopologyZone], Region: n.Labels[corev1.LabelTopologyRegion],
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			f.Ready = c.Status == corev1.ConditionTrue
		}
	}
	for _, p := range pods {
		if p.Spec.NodeName != n.Name || !ready(p) {
			continue
		}
		switch {
		case p.Labels["app"] == hollow.ManagerDaemonSet:
			f.Manager = string(p.UID) + "/" + string(n.UID) + "/" + machine.BootID
		case p.Labels["longhorn.io/component"] == "engine-image":
			f.EngineImage = true
		}
	}
	return f
}

func ready(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning {
		return false
	}
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// tellManagerPods tells which instance-manager pods exist. One that belongs to
// an earlier instance manager of the name is on its way out.
func (s *Standin) tellManagerPods(pods []*corev1.Pod) {
	exists := map[string]*corev1.Pod{}
	for _, p := range pods {
		if p.Labels["longhorn.io/component"] == "instance-manager" {
			exists[p.Name] = p
		}
	}
	for name := range s.managerPods {
		if exists[name] == nil {
			s.model.RemovePod(name)
		}
	}
	s.managerPods = map[string]bool{}
	for name, p := range exists {
		s.managerPods[name] = true
		f := model.PodFacts{UID: p.UID, Ready: ready(p), Terminating: p.DeletionTimestamp != nil, IP: p.Status.PodIP}
		if im := s.model.Get(model.InstanceManagers, name); im == nil || !metav1.IsControlledBy(p, im) {
			f.Terminating = true
		}
		s.model.SetPod(name, f)
	}
}

// tellClaims repeats for each volume which claim and which pods use it.
func (s *Standin) tellClaims(pods []*corev1.Pod) {
	pvs, err := s.watched.kube.Core().V1().PersistentVolumes().Lister().List(labels.Everything())
	if err != nil {
		return
	}
	users := map[string][]longhorn.WorkloadStatus{} // by namespace/claim
	for _, p := range pods {
		for _, v := range p.Spec.Volumes {
			if v.PersistentVolumeClaim == nil {
				continue
			}
			w := longhorn.WorkloadStatus{PodName: p.Name, PodStatus: string(p.Status.Phase)}
			if o := metav1.GetControllerOf(p); o != nil {
				w.WorkloadName, w.WorkloadType = o.Name, o.Kind
			}
			key := p.Namespace + "/" + v.PersistentVolumeClaim.ClaimName
			users[key] = append(users[key], w)
		}
	}
	for _, pv := range pvs {
		if pv.Spec.CSI == nil || pv.Spec.CSI.Driver != hollow.DriverName {
			continue
		}
		c := longhorn.KubernetesStatus{PVName: pv.Name, PVStatus: string(pv.Status.Phase)}
		if r := pv.Spec.ClaimRef; r != nil {
			c.Namespace, c.PVCName = r.Namespace, r.Name
			c.WorkloadsStatus = users[r.Namespace+"/"+r.Name]
			slices.SortFunc(c.WorkloadsStatus, func(a, b longhorn.WorkloadStatus) int { return cmp.Compare(a.PodName, b.PodName) })
		}
		s.model.SetClaim(pv.Spec.CSI.VolumeHandle, c)
	}
}
