// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab/instance"
)

// running is what runs for a pod.
type running interface {
	ready(ctx context.Context) bool
	stop()
}

// StartPod implements hollow.Runtime: the manager's pods run the manager, those of
// instance managers a stand-in, those of an engine image put its program onto
// the disk, and all others are only words.
func (l *Lab) StartPod(ctx context.Context, p hollow.RunningPod) error {
	b, ok := l.box(p.Node)
	if !ok {
		return fmt.Errorf("pod %s: %s: %w", p.Pod.Name, p.Node, errNoMachine)
	}
	var r running
	var err error
	switch labels := p.Pod.Labels; {
	case labels["app"] == hollow.ManagerDaemonSet:
		r, err = l.startManager(ctx, b, p)
	case labels["longhorn.io/component"] == "instance-manager":
		r, err = l.startInstanceManager(ctx, b, p)
	case labels["longhorn.io/component"] == "engine-image":
		return deploy(p.Pod.Spec.Containers[0].Image, l.opts.Version, b.node.DiskDir)
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("pod %s: %w", p.Pod.Name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[p.Pod.UID] = r
	return nil
}

// PodReady implements hollow.Runtime.
func (l *Lab) PodReady(ctx context.Context, p hollow.RunningPod) bool {
	l.mu.Lock()
	r := l.runs[p.Pod.UID]
	l.mu.Unlock()
	return r == nil || r.ready(ctx)
}

// StopPod implements hollow.Runtime.
func (l *Lab) StopPod(p hollow.RunningPod) {
	l.mu.Lock()
	r := l.runs[p.Pod.UID]
	delete(l.runs, p.Pod.UID)
	l.mu.Unlock()
	if r != nil {
		r.stop()
	}
}

// instanceManager is the stand-in of one pod.
type instanceManager struct {
	server *instance.Server
	ip     string
	lab    *Lab
}

func (l *Lab) startInstanceManager(ctx context.Context, b *box, p hollow.RunningPod) (running, error) {
	if err := addAddress(p.IP); err != nil {
		return nil, err
	}
	s, err := l.Plane.Serve(ctx, instance.Place{Node: p.Node, IP: p.IP, DiskDir: b.node.DiskDir})
	im := &instanceManager{server: s, ip: p.IP, lab: l}
	if err != nil {
		im.drop()
		return nil, err
	}
	return im, nil
}

func (im *instanceManager) ready(context.Context) bool { return true }

func (im *instanceManager) stop() {
	im.server.Close()
	im.drop()
}

func (im *instanceManager) drop() {
	if err := dropAddress(im.ip); err != nil {
		im.lab.log.Warn("address of an instance manager", "error", err)
	}
}

// engineProgram tells its version, which is all that the manager asks of it
// (longhorn-engine v1.8.0 pkg/meta).
const engineProgram = `#!/bin/sh
echo '{"clientVersion":{"version":"VERSION","gitCommit":"lab","buildDate":"","cliAPIVersion":10,"cliAPIMinVersion":8,"controllerAPIVersion":5,"controllerAPIMinVersion":4,"dataFormatVersion":1,"dataFormatMinVersion":1},"serverVersion":null}'
`

// deploy puts an engine image's program where the manager looks for it.
func deploy(image, version, diskDir string) error {
	dir := filepath.Join(diskDir, "engine-binaries", strings.NewReplacer(":", "-", "/", "-").Replace(image))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "longhorn"), []byte(strings.ReplaceAll(engineProgram, "VERSION", version)), 0o755)
}
