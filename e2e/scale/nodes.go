// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"iter"
	"strings"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	apps "k8s.io/api/apps/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const leases = "kube-node-lease"

// nodes yields what belongs to each node.
func (s Shape) nodes() iter.Seq[made] {
	return func(yield func(made) bool) {
		if !yield(made{"daemonsets/" + system + "/" + manager, managers(), "helm"}) {
			return
		}
		scheduled := s.scheduled()
		for n := range s.Nodes {
			name := nodeName(n)
			for _, m := range []made{
				{"minions/" + name, kubeNode(n), "kubelet"},
				lease(name),
				{"pods/" + system + "/" + managerPod(n).Name, managerPod(n), "kubelet"},
				{longhornKey("nodes", name), longhornNode(n, scheduled[n]), "longhorn-manager"},
				{longhornKey("instancemanagers", managerName(n)), s.instanceManager(n, scheduled[n]), "longhorn-manager"},
			} {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// scheduled lists the replicas of each node as volume and index.
func (s Shape) scheduled() [][][2]int {
	out := make([][][2]int, s.Nodes)
	for i := range s.Volumes {
		for k := range s.Replicas {
			if i == s.phantom() && k == 0 {
				continue // its disk is not there
			}
			n := s.place(i, k)
			out[n] = append(out[n], [2]int{i, k})
		}
	}
	return out
}

func kubeNode(n int) *core.Node {
	name := nodeName(n)
	o := &core.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: meta("", name, ageOfNodes, map[string]string{
			"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			"node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", n%3),
		}),
		Spec: core.NodeSpec{ProviderID: "bare://" + id("machine", n), PodCIDR: fmt.Sprintf("10.%d.%d.0/24", 100+n/256, n%256)},
	}
	o.Annotations = map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true", "csi.volume.kubernetes.io/nodeid": `{"driver.longhorn.io":"` + name + `"}`}
	capacity := core.ResourceList{
		core.ResourceCPU: resource.MustParse("32"), core.ResourceMemory: resource.MustParse("256Gi"),
		core.ResourcePods: resource.MustParse("250"), core.ResourceEphemeralStorage: resource.MustParse("900Gi"),
	}
	o.Status.Capacity, o.Status.Allocatable = capacity, capacity
	for _, c := range []core.NodeConditionType{core.NodeMemoryPressure, core.NodeDiskPressure, core.NodePIDPressure, core.NodeReady} {
		status := core.ConditionFalse
		if c == core.NodeReady {
			status = core.ConditionTrue
		}
		o.Status.Conditions = append(o.Status.Conditions, core.NodeCondition{
			Type: c, Status: status, Reason: "Kubelet" + string(c), Message: "kubelet reports " + string(c),
			LastHeartbeatTime: born(0), LastTransitionTime: born(ageOfNodes),
		})
	}
	o.Status.Addresses = []core.NodeAddress{{Type: core.NodeInternalIP, Address: address(n)}, {Type: core.NodeHostName, Address: name}}
	o.Status.NodeInfo = core.NodeSystemInfo{
		MachineID: strings.ReplaceAll(id("machine", n), "-", ""), BootID: id("boot", n), KernelVersion: "6.12.41", OSImage: "Debian GNU/Linux 13",
		ContainerRuntimeVersion: "containerd://2.1.4", KubeletVersion: "v1.35.4", Architecture: "amd64", OperatingSystem: "linux",
	}
	for i := range 30 { // a kubelet reports up to fifty
		o.Status.Images = append(o.Status.Images, core.ContainerImage{
			Names:     []string{fmt.Sprintf("registry.example.org/team/service-%02d@sha256:%s", i, strings.ReplaceAll(id("image", i)+id("digest", i), "-", ""))},
			SizeBytes: 123456789 + int64(i),
		})
	}
	return o
}

func lease(node string) made {
	holder, seconds, now := node, int32(40), renewed()
	return made{"leases/" + leases + "/" + node, &coordination.Lease{
		TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: meta(leases, node, ageOfNodes, nil),
		Spec:       coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}, "kubelet"}
}

// Renew renews every node's lease, as the kubelets do every ten seconds.
func Renew(ctx context.Context, etcd string, s Shape) error {
	var batch []entry
	for n := range s.Nodes {
		m := lease(nodeName(n))
		value, err := stored(m.object, m.manager)
		if err != nil {
			return err
		}
		batch = append(batch, entry{"/registry/" + m.key, value})
		if len(batch) == perTransaction || n == s.Nodes-1 {
			if err := put(ctx, etcd, batch); err != nil {
				return fmt.Errorf("renew the leases: %w", err)
			}
			batch = nil
		}
	}
	return nil
}

func address(n int) string { return fmt.Sprintf("10.0.%d.%d", n/250, n%250+1) }

func managerName(n int) string {
	return "instance-manager-" + strings.ReplaceAll(id("manager", n), "-", "")
}

func condition(kind string, status longhorn.ConditionStatus) longhorn.Condition {
	return longhorn.Condition{Type: kind, Status: status, LastTransitionTime: born(ageOfNodes).Format("2006-01-02T15:04:05Z")}
}

func longhornNode(n int, rs [][2]int) *longhorn.Node {
	name, disk := nodeName(n), "default-disk-"+diskUUID(n)[:12]
	o := &longhorn.Node{
		TypeMeta: longhornType("Node"), ObjectMeta: meta(system, name, ageOfNodes, nil),
		Spec: longhorn.NodeSpec{Name: name, AllowScheduling: true, Tags: []string{}, Disks: map[string]longhorn.DiskSpec{
			disk: {Type: longhorn.DiskTypeFilesystem, Path: dataPath, AllowScheduling: true, StorageReserved: 300 * gib, Tags: []string{}},
		}},
	}
	st := &longhorn.DiskStatus{
		DiskUUID: diskUUID(n), DiskName: disk, DiskPath: dataPath, Type: longhorn.DiskTypeFilesystem, FSType: "ext4",
		InstanceManagerName: managerName(n), StorageMaximum: 100000 * gib, StorageAvailable: 80000 * gib,
		ScheduledReplica: map[string]int64{}, ScheduledBackingImage: map[string]int64{},
		Conditions: []longhorn.Condition{condition(longhorn.DiskConditionTypeReady, longhorn.ConditionStatusTrue), condition(longhorn.DiskConditionTypeSchedulable, longhorn.ConditionStatusTrue)},
	}
	for _, r := range rs {
		st.ScheduledReplica[replicaName(r[0], r[1])] = size
		st.StorageScheduled += size
	}
	o.Status.DiskStatus = map[string]*longhorn.DiskStatus{disk: st}
	for _, c := range []string{longhorn.NodeConditionTypeReady, longhorn.NodeConditionTypeSchedulable, longhorn.NodeConditionTypeMountPropagation, longhorn.NodeConditionTypeRequiredPackages} {
		o.Status.Conditions = append(o.Status.Conditions, condition(c, longhorn.ConditionStatusTrue))
	}
	o.Status.Zone, o.Status.SnapshotCheckStatus = fmt.Sprintf("zone-%d", n%3), longhorn.SnapshotCheckStatus{}
	return o
}

func (s Shape) instanceManager(n int, rs [][2]int) *longhorn.InstanceManager {
	o := &longhorn.InstanceManager{
		TypeMeta: longhornType("InstanceManager"), ObjectMeta: meta(system, managerName(n), ageOfNodes, map[string]string{"longhorn.io/node": nodeName(n)}),
		Spec: longhorn.InstanceManagerSpec{Image: managerIs, NodeID: nodeName(n), Type: longhorn.InstanceManagerTypeAllInOne, DataEngine: longhorn.DataEngineTypeV1},
	}
	o.Status.OwnerID, o.Status.IP = nodeName(n), address(n)
	o.Status.CurrentState, o.Status.APIVersion, o.Status.ProxyAPIVersion = longhorn.InstanceManagerStateRunning, 6, 5
	process := func(name, kind string, port int) longhorn.InstanceProcess {
		return longhorn.InstanceProcess{
			Spec:   longhorn.InstanceProcessSpec{Name: name, DataEngine: longhorn.DataEngineTypeV1},
			Status: longhorn.InstanceProcessStatus{State: longhorn.InstanceStateRunning, Type: longhorn.InstanceType(kind), PortStart: int32(port), PortEnd: int32(port), Conditions: map[string]bool{}},
		}
	}
	o.Status.InstanceReplicas, o.Status.InstanceEngines = map[string]longhorn.InstanceProcess{}, map[string]longhorn.InstanceProcess{}
	for i, r := range rs {
		if !s.attached(r[0]) {
			continue
		}
		o.Status.InstanceReplicas[replicaName(r[0], r[1])] = process(replicaName(r[0], r[1]), "replica", 10000+i)
		if r[1] == 0 {
			o.Status.InstanceEngines[engineName(r[0])] = process(engineName(r[0]), "engine", 20000+i)
		}
	}
	return o
}

func longhornType(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: longhorn.SchemeGroupVersion.String(), Kind: kind}
}

// manager is the DaemonSet whose pods report for their nodes.
const manager = "longhorn-manager"

func managers() *apps.DaemonSet {
	return &apps.DaemonSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"}, ObjectMeta: meta(system, manager, ageOfNodes, nil),
		Spec: apps.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": manager}}},
	}
}

func managerPod(n int) *core.Pod {
	yes := true
	o := &core.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: meta(system, manager+"-"+id(manager, n)[:5], ageOfNodes, map[string]string{"app": manager}),
		Spec:       core.PodSpec{NodeName: nodeName(n), Containers: []core.Container{{Name: manager, Image: "longhornio/longhorn-manager:" + lhVersion}}},
		Status:     core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}},
	}
	o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: manager, UID: managers().UID, Controller: &yes}}
	return o
}
