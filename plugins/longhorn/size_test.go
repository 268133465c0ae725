// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// crowd is one object of a Longhorn of many detached volumes of three replicas.
type crowd struct {
	kind plugin.Kind
	item []byte
}

// crowdOf yields the objects of volume i, with names as long as real ones.
func crowdOf(tb testing.TB, i int) []crowd {
	tb.Helper()
	name := fmt.Sprintf("pvc-%08x-5f33-4d8e-9d3a-0c7a1d1c9a11", i)
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name: name, Namespace: Namespace, UID: types.UID(fmt.Sprintf("%08x-0e8d-4f55-8f43-%012x", i, len(name)*7+int(name[len(name)-1]))),
			Labels: map[string]string{"longhornvolume": name}, Finalizers: []string{"longhorn.io"},
		}
	}
	var out []crowd
	add := func(resource string, o any) {
		raw, err := json.Marshal(o)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, crowd{kindOf(resource), raw})
	}
	add(volumes, &longhorn.Volume{ObjectMeta: meta(name), Spec: longhorn.VolumeSpec{Size: 1 << 30, NumberOfReplicas: 3, DataEngine: "v1", Image: "longhornio/longhorn-engine:v1.8.1"},
		Status: longhorn.VolumeStatus{State: longhorn.VolumeStateDetached, Robustness: longhorn.VolumeRobustnessUnknown, CurrentImage: "longhornio/longhorn-engine:v1.8.1"}})
	add(engines, &longhorn.Engine{ObjectMeta: meta(name + "-e-0"), Spec: longhorn.EngineSpec{Active: true, InstanceSpec: longhorn.InstanceSpec{VolumeName: name}},
		Status: longhorn.EngineStatus{InstanceStatus: longhorn.InstanceStatus{CurrentState: "stopped"}}})
	add(attachments, &longhorn.VolumeAttachment{ObjectMeta: meta(name), Spec: longhorn.VolumeAttachmentSpec{Volume: name}})
	for k := range 3 {
		node := fmt.Sprintf("worker-%04d", (i+k)%200)
		add(replicas, &longhorn.Replica{ObjectMeta: meta(fmt.Sprintf("%s-r-%08x", name, i*3+k)), Spec: longhorn.ReplicaSpec{
			InstanceSpec: longhorn.InstanceSpec{VolumeName: name, NodeID: node, VolumeSize: 1 << 30}, EngineName: name + "-e-0", Active: true,
			HealthyAt: "2026-11-01T00:00:00Z", LastHealthyAt: "2026-11-01T00:00:00Z", DiskID: fmt.Sprintf("%08x-1111-4222-8333-444455556666", (i+k)%200),
			DiskPath: "/var/lib/longhorn/", DataDirectoryName: fmt.Sprintf("%s-%08x", name, i*3+k),
		}, Status: longhorn.ReplicaStatus{InstanceStatus: longhorn.InstanceStatus{OwnerID: node, CurrentState: "stopped"}}})
	}
	return out
}

// heap is what is in use after everything else was collected.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What is kept of a cluster decides how large a cluster a laptop can judge. Both
// bounds are a little above what was measured, so that it does not grow unseen;
// they hold the volume's, the engine's and the attachment's share too.
func TestReader_KeepsFewBytesOfEachReplica(t *testing.T) {
	const volumes, mostRead, mostJoined = 3000, 210, 1000
	r := NewReader()
	empty := heap()
	for i := range volumes {
		for _, c := range crowdOf(t, i) {
			if err := r.Put(c.kind, c.item); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := heap()
	st, gaps := r.Storage()
	joined := heap()
	if len(st.Volumes) != volumes || len(gaps) > 0 {
		t.Fatalf("%d volumes, gaps %v", len(st.Volumes), gaps)
	}
	t.Logf("the reader keeps %d bytes a replica, the facts %d more", (read-empty)/(3*volumes), (joined-read)/(3*volumes))
	if each := (read - empty) / (3 * volumes); each > mostRead {
		t.Errorf("the reader keeps %d bytes a replica, at most %d", each, mostRead)
	}
	if each := (joined - read) / (3 * volumes); each > mostJoined {
		t.Errorf("the facts are %d bytes a replica more, at most %d", each, mostJoined)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(st)
}

func BenchmarkReader_Put(b *testing.B) {
	items := crowdOf(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader()
		for _, c := range items {
			if err := r.Put(c.kind, c.item); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkReader_Storage(b *testing.B) {
	r := NewReader()
	for i := range 1000 {
		for _, c := range crowdOf(b, i) {
			if err := r.Put(c.kind, c.item); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = r.Storage()
	}
}
