// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Options of a world. The zero value of each field but Out is usable.
type Options struct {
	// Out is told what is being built and started.
	Out io.Writer
	// Bare leaves out Longhorn and every machine: a cluster without storage.
	Bare bool
	// Standin overrides the stand-in's behaviour, timing and settings.
	Standin standin.Options
}

// World is a running bench. It implements scenario.World, and its methods may
// be called concurrently.
type World struct {
	Cluster  *bench.Cluster
	Fleet    *hollow.Fleet
	Standin  *standin.Standin
	Kube     kubernetes.Interface
	Longhorn lhclient.Interface
	out      io.Writer
	log      *os.File
	control  *control
	bin      string // folder with kubectl, the plugin and machine
}

var _ scenario.World = (*World)(nil)

// Start builds what is not in the cache, and starts a cluster without nodes,
// with Longhorn installed. Close ends it. An error leaves nothing behind.
func Start(ctx context.Context, o Options) (_ *World, err error) {
	w := &World{out: o.Out}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	bin, err := bench.Build(ctx, o.Out)
	if err != nil {
		return nil, err
	}
	if w.Cluster, err = bench.Start(ctx, bench.Options{Binaries: bin}); err != nil {
		return nil, err
	}
	cfg := w.Cluster.Config()
	if w.Kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return nil, err
	}
	if w.Longhorn, err = lhclient.NewForConfig(cfg); err != nil {
		return nil, err
	}
	if !o.Bare {
		if err := w.startStandin(ctx, o.Standin); err != nil {
			return nil, err
		}
	}
	if w.control, err = w.listen(ctx); err != nil {
		return nil, err
	}
	w.bin, err = buildTools(ctx, filepath.Join(w.Cluster.Dir(), "bin"), bin.Program)
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
	w.Fleet, err = hollow.NewFleet(ctx, hollow.Options{
		Config: w.Cluster.Config(), Driver: w.Standin, Dir: filepath.Join(w.Cluster.Dir(), "fleet"),
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
	w.stop()
	if w.Cluster == nil {
		return nil
	}
	return w.Cluster.Destroy()
}

// CloseKeepingLogs ends everything, keeps the folder, and returns its path.
func (w *World) CloseKeepingLogs() string {
	w.stop()
	w.Cluster.Stop()
	return w.Cluster.Dir()
}

func (w *World) stop() {
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
}

func (w *World) say(format string, args ...any) {
	fmt.Fprintf(w.out, format+"\n", args...)
}
