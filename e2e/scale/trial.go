// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// Trial is the comparison on one cluster, which is filled.
type Trial struct {
	Shape            Shape
	Rounds           int
	Skip             []int
	Etcd, Kubeconfig string
	Env              []string
}

// Result is what became of a trial.
type Result struct {
	Shape Shape
	Ways  []Measured
}

// Measured is what one way has cost, one Cost a round, and whether its answer
// was right.
type Measured struct {
	Name  string
	Costs []Cost
	Right string
}

// Measure measures every way, in rounds.
func (t Trial) Measure(ctx context.Context, log io.Writer) (Result, error) {
	out := Result{Shape: t.Shape}
	self, err := os.Executable()
	if err != nil {
		return out, err
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	go t.keepAlive(ctx)
	if _, err := t.ask(ctx, ways(self)[0]); err != nil { // fills the server's caches
		return out, err
	}
	var asked []way
	for i, w := range ways(self) {
		if !slices.Contains(t.Skip, i) {
			asked = append(asked, w)
			out.Ways = append(out.Ways, Measured{Name: w.name})
		}
	}
	for round := range t.Rounds {
		for i, w := range asked {
			m := &out.Ways[i]
			cost, err := t.ask(ctx, w)
			if err != nil {
				return out, fmt.Errorf("%s: %w", w.name, err)
			}
			fmt.Fprintf(log, "# round %d: %-36s %8s wall %8s CPU %5d MiB, exit code %d\n", round+1, w.name,
				cost.Wall.Round(10*time.Millisecond), cost.CPU.Round(10*time.Millisecond), cost.Memory>>20, cost.ExitCode)
			if m.Right, err = w.judge(cost.Output, t.Shape); err != nil {
				return out, fmt.Errorf("%s: %w", w.name, err)
			}
			if w.answer != nil && m.Right != right {
				fmt.Fprintf(log, "# %s; it said: %.600s\n", m.Right, cost.Output)
			}
			m.Costs = append(m.Costs, cost)
		}
	}
	return out, nil
}

// ask asks once.
func (t Trial) ask(ctx context.Context, w way) (Cost, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", t.Kubeconfig)
	if err != nil {
		return Cost{}, err
	}
	cmd := exec.CommandContext(ctx, lookPath(t.Env, w.args[0]), w.args[1:]...)
	cmd.Env = t.Env
	return Measure(ctx, cfg, cmd)
}
