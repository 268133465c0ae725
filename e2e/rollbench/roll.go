// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/scale"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// Roll is a cluster of which every worker is replaced.
type Roll struct {
	Nodes, Volumes int
	// LookInterval is the tool's. A bench's is shorter than an operator's, and with
	// the longer one what the tool adds is a smaller part.
	LookInterval time.Duration
	// Log is told how far it is.
	Log io.Writer
}

// Options are those of a world that has room for it.
func (r Roll) Options() world.Options {
	return world.Options{
		Out: r.Log,
		Cluster: bench.Options{
			// The machine has more to do than to renew the leases of others.
			NodeMonitorGrace: 20 * time.Second,
			ExtraArgs:        map[string][]string{"etcd": {"--quota-backend-bytes=8589934592"}},
		},
		Standin: standin.Options{DiskSize: 4 << 40},
	}
}

// Run fills the world, rolls, and says what that took. An error means that it
// could not be measured; what was measured and is wrong is in Result.Wrong.
func (r Roll) Run(ctx context.Context, w *world.World) (*Result, error) {
	began := time.Now()
	written, err := r.fill(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("fill the cluster: %w", err)
	}
	r.say("filled with %d volumes in %s", r.Volumes, time.Since(began).Round(time.Second))
	res := &Result{Roll: r, Filled: time.Since(began)}
	if err := r.roll(ctx, w, res); err != nil || len(res.Wrong) > 0 {
		return res, err
	}
	return res, r.check(ctx, w, written, res)
}

// roll runs the tool against the proxy.
func (r Roll) roll(ctx context.Context, w *world.World, res *Result) error {
	p, err := newProxy(w.Cluster.Config())
	if err != nil {
		return err
	}
	defer p.close()
	kubeconfig, err := p.kubeconfig(w.Cluster.Dir())
	if err != nil {
		return err
	}
	args := append([]string{"safe-roll", "run"}, scenario.Incident{Workers: r.Nodes}.WorkerNames()...)
	cmd := w.CommandAs(ctx, kubeconfig, append(args, "--yes", "-o", "json", "--look-interval="+r.LookInterval.String(),
		fmt.Sprintf("--max-evicted=%d", r.Volumes), "--replace-command=machine replace")...)
	var said bytes.Buffer
	told := &lines{log: r.Log}
	cmd.Stdout, cmd.Stderr = told, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	samples := sample(cmd.Process.Pid, done)
	err = cmd.Wait()
	close(done)
	res.Memory, res.CPU = <-samples, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if err != nil { // what it took until then is told all the same
		res.wrong("the roll ended with %v: %s%s", err, tail(told.raw.Bytes()), tail(said.Bytes()))
	}
	events, err := told.events()
	if err != nil {
		return err
	}
	res.Ledger = divide(timeline{began: began, ended: time.Now(), interval: r.LookInterval, events: events, news: p.delivered()})
	res.count(p.requests())
	return nil
}

// check asks the disks, the tool and the journal whether all is well.
func (r Roll) check(ctx context.Context, w *world.World, c crowd, res *Result) error {
	truth, err := w.Truth(ctx)
	if err != nil {
		return err
	}
	for want, e := range c {
		if lost := truth.Lost(e); len(lost) > 0 {
			res.wrong("lost %v", lost)
		}
		if short := truth.Short(e, want); len(short) > 0 {
			res.wrong("fewer than %d copies: %v", want, short)
		}
	}
	for _, args := range [][]string{{"safe-roll", "verify"}, {"safe-roll", "report", "--check"}} {
		said, err := w.Kubectl(ctx, args...)
		if err != nil {
			return err
		}
		if said.Exit != 0 {
			res.wrong("kubectl %v: exit %d: %s", args, said.Exit, tail([]byte(said.All())))
		}
	}
	return nil
}

func (r Roll) say(format string, args ...any) {
	fmt.Fprintf(r.Log, "# "+format+"\n", args...)
}

// tail is the end of what was said.
func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

// lines keeps what the tool prints, and passes on how the turns go.
type lines struct {
	raw  bytes.Buffer
	read int
	log  io.Writer
}

func (l *lines) Write(b []byte) (int, error) {
	l.raw.Write(b)
	for {
		rest := l.raw.Bytes()[l.read:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return len(b), nil
		}
		var e v1alpha1.Event
		if json.Unmarshal(rest[:end], &e) == nil && e.Type != "waiting" {
			fmt.Fprintf(l.log, "# %s turn %d of %d, %s: %s %s\n", e.At.Format("15:04:05.00"), e.Turn, e.Turns, e.Phase, e.Type, e.Says)
		}
		l.read += end + 1
	}
}

func (l *lines) events() ([]v1alpha1.Event, error) {
	var out []v1alpha1.Event
	for dec := json.NewDecoder(&l.raw); ; {
		var e v1alpha1.Event
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it may have been killed
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("what the tool printed: %w", err)
		}
		out = append(out, e)
	}
}

// sample looks at a process's resident set every second until done is closed.
func sample(pid int, done <-chan struct{}) <-chan []int64 {
	out := make(chan []int64, 1)
	go func() {
		var all []int64
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-tick.C:
				all = append(all, scale.Resident(pid))
			case <-done:
				tick.Stop()
				out <- all
				return
			}
		}
	}()
	return out
}
