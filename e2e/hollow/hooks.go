// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// Hardware is what machines are made of, where a folder is not enough. Its
// methods are called for one machine at a time, and for several machines at once.
type Hardware interface {
	// PowerOn starts the machine, before its Node is registered. Nothing of it
	// may be left running after an error.
	PowerOn(ctx context.Context, n Node) error
	// PowerOff ends at once all that runs on the machine; off already is fine.
	PowerOff(n Node)
	// Scrap ends the life of a disk whose folder is about to be deleted.
	Scrap(diskDir string) error
}

// RunningPod is a pod on a machine that is on.
type RunningPod struct {
	Node string
	IP   string
	Pod  *corev1.Pod // as it was when it was started; not to be written to
}

// Runtime runs what is in pods, where Running and Ready are not to be mere
// words. Its methods may be called concurrently for different pods.
type Runtime interface {
	// StartPod begins the pod's containers, and is called again after an error.
	StartPod(ctx context.Context, p RunningPod) error
	// PodReady says whether the pod would pass its readiness probe now.
	PodReady(ctx context.Context, p RunningPod) bool
	// StopPod ends what StartPod began, also where that failed or the machine is off.
	StopPod(p RunningPod)
}

// bare is the hardware and runtime of machines that have nothing inside.
type bare struct{}

func (bare) PowerOn(context.Context, Node) error             { return nil }
func (bare) PowerOff(Node)                                   {}
func (bare) Scrap(string) error                              { return nil }
func (bare) StartPod(context.Context, RunningPod) error      { return nil }
func (bare) PodReady(context.Context, RunningPod) (yes bool) { return true }
func (bare) StopPod(RunningPod)                              {}
