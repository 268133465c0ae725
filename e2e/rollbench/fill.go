// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	// fillers work at the same time, and woken bounds how many sleepers are awake.
	fillers = 16
	woken   = 200
	// fillPause is between two looks at all volumes.
	fillPause = time.Second
	namespace = "default"
	size      = 1 << 30
)

// crowd is what was written, by how many replicas the volumes have.
type crowd map[int]scenario.Expected

// stage is how far a volume is.
type stage int

const (
	made stage = iota
	waking
	falling
	ready
)

// filler has every volume written to.
type filler struct {
	Roll
	w      *world.World
	stages []stage
	awake  int // as of the last look
}

// fill adds the machines, and volumes of two and three replicas (of two, where
// three would leave no node to move to): three of ten are used by a pod, and the
// others were, once: each is attached as a person does by hand, formatted, written
// to and let go.
func (r Roll) fill(ctx context.Context, w *world.World) (crowd, error) {
	if err := (scenario.Incident{Workers: r.Nodes}).Machines(ctx, w); err != nil {
		return nil, err
	}
	f := &filler{Roll: r, w: w, stages: make([]stage, r.Volumes)}
	all := make([]int, r.Volumes)
	for i := range all {
		all[i] = i
	}
	if err := parallel(all, func(i int) error { return f.create(ctx, i) }); err != nil {
		return nil, err
	}
	r.say("made %d volumes", r.Volumes)
	c := crowd{2: {}, 3: {}}
	for i := range all {
		c[f.want(i)][name(i)] = scenario.Sum(data(i))
	}
	for {
		todo, err := f.look(ctx)
		if err != nil || todo == 0 {
			return c, err
		}
		r.say("%d volumes are not written to yet", todo)
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(fillPause):
		}
	}
}

func name(i int) string { return fmt.Sprintf("vol-%04d", i) }
func data(i int) []byte { return []byte("the bytes of " + name(i) + "\n") }
func inUse(i int) bool  { return i%10 < 3 }
func (r Roll) want(i int) int {
	if r.Nodes <= 3 {
		return 2
	}
	return 2 + i%2
}

// create makes a volume, its claim, and the pod that uses it.
func (f *filler) create(ctx context.Context, i int) error {
	v := scenario.Volume{Name: name(i), Replicas: f.want(i), Bytes: size}
	if err := f.w.CreateVolume(ctx, v); err != nil || !inUse(i) {
		return err
	}
	load := hollow.Workload{Namespace: namespace, Name: name(i), Replicas: 1, Claim: name(i)}
	_, err := f.w.Kube.AppsV1().StatefulSets(namespace).Create(ctx, load.StatefulSet(), metav1.CreateOptions{})
	return err
}

// look looks at every volume once, takes the next step with each that has come
// that far, and returns how many are still to be done.
func (f *filler) look(ctx context.Context) (int, error) {
	all, err := f.w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return 0, err
	}
	seen := map[string]longhorn.VolumeStatus{}
	for _, v := range all.Items {
		seen[v.Name] = v.Status
	}
	var steps []int
	todo := 0
	f.awake = 0
	for _, at := range f.stages {
		if at != ready {
			todo++
		}
		if at == waking || at == falling {
			f.awake++
		}
	}
	for i := range f.stages {
		if f.due(i, seen[name(i)]) {
			steps = append(steps, i)
		}
	}
	return todo, parallel(steps, func(i int) error {
		if err := f.step(ctx, i); err != nil {
			return fmt.Errorf("%s: %w", name(i), err)
		}
		return nil
	})
}

// due tells whether the volume can take its next step, and has it wait for a
// place among the woken.
func (f *filler) due(i int, s longhorn.VolumeStatus) bool {
	switch at := f.stages[i]; {
	case at == ready:
		return false
	case at == falling:
		return s.State == longhorn.VolumeStateDetached
	case at == made && !inUse(i):
		if s.State != longhorn.VolumeStateDetached || f.awake >= woken {
			return false
		}
		f.awake++
		return true
	}
	return s.Robustness == longhorn.VolumeRobustnessHealthy
}

// step takes it.
func (f *filler) step(ctx context.Context, i int) error {
	switch {
	case f.stages[i] == falling:
		f.stages[i] = ready
	case inUse(i):
		if err := f.w.Write(ctx, name(i), data(i)); err != nil {
			return nil // its pod does not run yet: next time
		}
		f.stages[i] = ready
	case f.stages[i] == made:
		err := f.ticket(ctx, i, map[string]any{
			"id": ticketID, "type": longhorn.AttacherTypeLonghornAPI, "nodeID": f.machine(i),
			"parameters": map[string]string{longhorn.AttachmentParameterDisableFrontend: longhorn.FalseValue},
		})
		if apierrors.IsNotFound(err) {
			return nil // what holds tickets is not written yet: next time
		}
		f.stages[i] = waking
		return err
	case f.stages[i] == waking:
		if err := f.write(ctx, i); err != nil {
			return err
		}
		f.stages[i] = falling
		return f.ticket(ctx, i, nil)
	}
	return nil
}

// ticketID is the bench's hold on a volume.
const ticketID = "bench"

func (f *filler) machine(i int) string {
	names := scenario.Incident{Workers: f.Nodes}.WorkerNames()
	return names[i%len(names)]
}

// ticket asks for a volume, or gives it back.
func (f *filler) ticket(ctx context.Context, i int, t map[string]any) error {
	tickets := map[string]any{ticketID: nil}
	if t != nil {
		tickets[ticketID] = t
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"attachmentTickets": tickets}})
	if err != nil {
		return err
	}
	_, err = f.w.Longhorn.LonghornV1beta2().VolumeAttachments(standin.Namespace).Patch(ctx, name(i), types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// write formats a volume that no pod has, and writes to it.
func (f *filler) write(ctx context.Context, i int) error {
	m := hollow.Mount{Node: f.machine(i), Volume: name(i), Handle: name(i), Pod: ticketID, PodName: ticketID}
	if err := f.w.Standin.Mount(ctx, m); err != nil {
		return err
	}
	return errors.Join(f.w.Write(ctx, name(i), data(i)), f.w.Standin.Unmount(ctx, m))
}

// parallel does the same for all, several at a time.
func parallel(all []int, do func(int) error) error {
	var mu sync.Mutex
	var failed error
	var group sync.WaitGroup
	work := make(chan int)
	for range fillers {
		group.Go(func() {
			for i := range work {
				if err := do(i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range all {
		work <- i
	}
	close(work)
	group.Wait()
	return failed
}
