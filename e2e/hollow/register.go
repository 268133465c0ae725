// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// KernelVersion is the one that all nodes report.
const KernelVersion = "6.1.0-hollow"

// registerLimit bounds the registration of a node.
const registerLimit = 30 * time.Second

// address is the machine's IP; nothing listens there but what its hardware has.
func (m *machine) address() string {
	return fmt.Sprintf("172.20.%d.%d", m.serial/machinesPerBlock, m.serial%machinesPerBlock+2)
}

// boot switches the machine on.
func (m *machine) boot(ctx context.Context) error {
	m.work.Lock()
	defer m.work.Unlock()
	if m.kubelet() != nil {
		return nil
	}
	if err := m.fleet.ctx.Err(); err != nil {
		return fmt.Errorf("the fleet is closed: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, registerLimit, fmt.Errorf("register limit of %s passed", registerLimit))
	defer cancel()
	m.mu.Lock()
	m.node.BootID = string(uuid.NewUUID())
	m.mu.Unlock()
	if err := m.fleet.opts.Hardware.PowerOn(ctx, m.snapshot()); err != nil {
		return fmt.Errorf("power on: %w", err)
	}
	node, err := m.register(ctx)
	if err != nil {
		m.fleet.opts.Hardware.PowerOff(m.snapshot())
		return fmt.Errorf("register: %w", err)
	}
	k := newKubelet(m, node.UID)
	if err := k.registerDriver(ctx); err != nil {
		k.stop()
		m.fleet.opts.Hardware.PowerOff(m.snapshot())
		return fmt.Errorf("register the CSI driver: %w", err)
	}
	m.mu.Lock()
	m.node.UID = node.UID
	m.node.ProviderID = node.Spec.ProviderID
	m.k = k
	m.mu.Unlock()
	return k.start()
}

// halt switches the machine off and returns when nothing of it runs.
func (m *machine) halt() {
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.Lock()
	k := m.k
	m.k = nil
	m.mu.Unlock()
	if k != nil {
		k.stop()
		m.fleet.opts.Hardware.PowerOff(m.snapshot())
	}
}

// register creates the Node, or takes up the one that is there, as a kubelet
// does at its start: labels, taints and provider ID of an existing Node stay.
func (m *machine) register(ctx context.Context) (*corev1.Node, error) {
	labels := map[string]string{
		corev1.LabelHostname: m.spec.Name,
		corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64",
	}
	maps.Copy(labels, m.spec.Labels)
	self := m.snapshot()
	nodes := m.fleet.client.CoreV1().Nodes()
	node, err := nodes.Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: m.spec.Name, Labels: labels,
			// Without it the attach-detach controller leaves the node alone.
			Annotations: map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
		},
		Spec: corev1.NodeSpec{Taints: m.spec.Taints, ProviderID: self.ProviderID},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		node, err = nodes.Get(ctx, m.spec.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, err
	}
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("32Gi"),
		corev1.ResourcePods: resource.MustParse("250"), corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}
	identity := fmt.Sprintf("%08x-0000-4000-8000-%012x", m.serial, m.serial)
	addresses := []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: self.IP}, {Type: corev1.NodeHostName, Address: m.spec.Name}}
	status := map[string]any{
		"capacity": room, "allocatable": room,
		"conditions": nodeConditions(node, time.Now()),
		"addresses":  addresses,
		"nodeInfo": corev1.NodeSystemInfo{
			MachineID: identity, SystemUUID: identity, BootID: self.BootID,
			OSImage: "Hollow", KernelVersion: KernelVersion, OperatingSystem: "linux", Architecture: "amd64",
			ContainerRuntimeVersion: "hollow://1", KubeletVersion: m.fleet.version,
		},
		"volumesInUse": nil, // nothing is mounted right after a boot
	}
	m.fleet.endpoint.status(status, addresses)
	return m.fleet.patchNode(ctx, m.spec.Name, node.UID, status)
}

// patchNode changes fields of a Node's status, whichever else writes it. A Node
// of that name with another UID is left alone, with a conflict error.
func (f *Fleet) patchNode(ctx context.Context, name string, uid types.UID, status map[string]any) (*corev1.Node, error) {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid}, "status": status})
	if err != nil {
		return nil, fmt.Errorf("encode node status: %w", err)
	}
	return f.client.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
}

// nodeConditions are those of a node without complaints. A condition that holds
// already keeps the time since when it does.
func nodeConditions(node *corev1.Node, now time.Time) []corev1.NodeCondition {
	at := metav1.NewTime(now)
	conditions := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	for i := range conditions {
		c := &conditions[i]
		c.LastHeartbeatTime, c.LastTransitionTime = at, at
		for _, old := range node.Status.Conditions {
			if old.Type == c.Type && old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return conditions
}

// registerDriver makes the node's CSINode list the storage driver, which on a
// real node the driver's DaemonSet pod does. One that belongs to an earlier Node
// of the name is replaced.
func (k *kubelet) registerDriver(ctx context.Context) error {
	nodes := k.fleet.client.StorageV1().CSINodes()
	owner := k.ownerRef()
	there, err := nodes.Get(ctx, k.name, metav1.GetOptions{})
	if err == nil && len(there.OwnerReferences) == 1 && there.OwnerReferences[0].UID == owner.UID {
		return nil
	}
	if err == nil {
		err = nodes.Delete(ctx, k.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &there.UID}})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	_, err = nodes.Create(ctx, &storagev1.CSINode{
		ObjectMeta: metav1.ObjectMeta{Name: k.name, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: DriverName, NodeID: k.name}}},
	}, metav1.CreateOptions{})
	return err
}

// ownerRef names the Node that this kubelet registered.
func (k *kubelet) ownerRef() metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: k.name, UID: k.uid}
}
