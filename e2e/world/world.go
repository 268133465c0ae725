// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Options of a world. The zero value of each field but Out is usable.
type Options struct {
	// Out is told what is being built and started.
	Out io.Writer
	// Cluster is how the control plane runs; its programs are found.
	Cluster bench.Options
	// Bare leaves out Longhorn and every machine: a cluster without storage.
	Bare bool
	// Standin overrides the stand-in's behaviour, timing and settings.
	Standin standin.Options
	// Lab, if it is not nil, puts Longhorn's real manager in the place of the
	// stand-in; its binary is built if that is not named. See lab.Main.
	Lab *lab.Options
}

// World is a running bench. It implements scenario.World, and its methods may
// be called concurrently.
type World struct {
	Cluster  *bench.Cluster
	Fleet    *hollow.Fleet
	Standin  *standin.Standin // nil in a lab
	Lab      *lab.Lab         // nil with the stand-in
	Kube     kubernetes.Interface
	Longhorn lhclient.Interface
	out      io.Writer
	log      *os.File
	control  *control
	bin      string        // folder with kubectl, the plugin and machine
	storage  storage       // Standin or Lab
	managers *managers     // beside a stand-in
	limit    time.Duration // of what a verb waits for
	recorded sync.Map      // names of recordings that were begun
}

// storage is what a world asks of whatever holds its volumes' bytes.
type storage interface {
	Write(volume string, data []byte) error
	Truth() (scenario.Truth, error)
}

var _ scenario.World = (*World)(nil)

// Start builds what is not in the cache, and starts a cluster without nodes,
// with Longhorn installed. Close ends it. An error leaves nothing behind.
func Start(ctx context.Context, o Options) (_ *World, err error) {
	w := &World{out: o.Out, limit: verbLimit, managers: &managers{down: map[string]bool{}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	bin, err := bench.Build(ctx, o.Out)
	if err != nil {
		return nil, err
	}
	on := o.Cluster
	on.Binaries, on.ExtraArgs = bin, maps.Clone(on.ExtraArgs)
	if on.ExtraArgs == nil {
		on.ExtraArgs = map[string][]string{}
	}
	on.ExtraArgs["kube-apiserver"] = append([]string{"--kubelet-preferred-address-types=" + string(hollow.ExecAddressType)}, on.ExtraArgs["kube-apiserver"]...)
	if o.Lab != nil {
		if err := w.makeLab(ctx, *o.Lab, &on); err != nil {
			return nil, err
		}
	}
	if w.Cluster, err = bench.Start(ctx, on); err != nil {
		return nil, err
	}
	if w.bin, err = buildTools(ctx, filepath.Join(w.Cluster.Dir(), "bin"), bin.Program); err != nil {
		return nil, err
	}
	cfg := w.Cluster.Config()
	cfg.WarningHandler = rest.NoWarnings{} // what Longhorn writes is not ours to mend
	if w.Kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return nil, err
	}
	if w.Longhorn, err = lhclient.NewForConfig(cfg); err != nil {
		return nil, err
	}
	switch {
	case o.Lab != nil:
		err = w.startLab(ctx)
	case !o.Bare:
		err = w.startStandin(ctx, o.Standin)
	}
	if err != nil {
		return nil, err
	}
	w.control, err = w.listen(ctx)
	return w, err
}

func (w *World) startStandin(ctx context.Context, o standin.Options) (err error) {
	w.log, err = os.Create(filepath.Join(w.Cluster.Dir(), "logs", "standin.log"))
	if err != nil {
		return err
	}
	if o.Timing == (model.Timing{}) {
		o.Timing = model.FastTiming()
		// A machine never carries storage within the second in which its Node
		// is made; here it would, and its replicas could not be told from those
		// of an earlier machine.
		o.Timing.ManagerStart = 1500 * time.Millisecond
	}
	o.Config, o.Log = w.Cluster.Config(), slog.New(slog.NewTextHandler(w.log, nil))
	if w.Standin, err = standin.New(o); err != nil {
		return err
	}
	w.storage = w.Standin
	w.Fleet, err = hollow.NewFleet(ctx, hollow.Options{
		Config: w.Cluster.Config(), Driver: w.Standin, Runtime: w.managers, Dir: filepath.Join(w.Cluster.Dir(), "fleet"),
		Commands: looks{w.Cluster.Dir()},
	})
	if err != nil {
		return err
	}
	install := hollow.Longhorn{Version: "v1.8.1", EngineImage: hollow.EngineImage}
	if err := install.Install(ctx, w.Kube); err != nil {
		return err
	}
	return w.Standin.Start(ctx, w.Fleet)
}

// Close ends everything and deletes the cluster's folder.
func (w *World) Close() error {
	err := w.stop()
	if w.Cluster == nil {
		return err
	}
	return errors.Join(err, w.Cluster.Destroy())
}

// CloseKeepingLogs ends everything, keeps the folder, and returns its path.
func (w *World) CloseKeepingLogs() string {
	if err := w.stop(); err != nil {
		w.say("%v", err)
	}
	w.Cluster.Stop()
	return w.Cluster.Dir()
}

func (w *World) stop() error {
	if w.control != nil {
		w.control.close()
	}
	if w.Standin != nil {
		w.Standin.Close()
	}
	if w.Fleet != nil {
		w.Fleet.Close()
	}
	if w.log != nil {
		_ = w.log.Close()
	}
	if w.Lab != nil {
		return w.Lab.Close()
	}
	return nil
}

func (w *World) say(format string, args ...any) {
	fmt.Fprintf(w.out, format+"\n", args...)
}
