// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
)

// way is one way to ask whether every volume is whole.
type way struct {
	name string
	args []string
	// answer reads from its output which volumes it calls not whole; nil where
	// it does not answer.
	answer func([]byte) ([]string, error)
}

// usual is the check that is found in runbooks: replicas that were healthy and
// have not failed, on nodes that Longhorn lists, counted for each volume.
const usual = `([.items[]|select(.kind=="Node")|.metadata.name]) as $nodes
| ([.items[]|select(.kind=="Replica" and .spec.healthyAt!="" and .spec.failedAt=="")
   | select(.spec.nodeID as $n | $nodes|index($n))|.spec.volumeName]|group_by(.)|map({(.[0]):length})|add) as $good
| [.items[]|select(.kind=="Volume" and ($good[.metadata.name]//0) < .spec.numberOfReplicas)|.metadata.name]`

func ways(self string) []way {
	// kubectl replaces itself by the plugin; its own memory is not what is asked.
	const plugin = "kubectl-safe_roll"
	names := func(out []byte) (bad []string, err error) { return bad, json.Unmarshal(out, &bad) }
	return []way{
		{"the same lists, thrown away", []string{self, "floor"}, nil},
		{"kubectl safe-roll verify", []string{plugin, "verify"}, nil},
		{"kubectl safe-roll verify -o json", []string{plugin, "verify", "-o", "json"}, verified},
		{"Longhorn's clientset and a loop", []string{self, "typed"}, names},
		{"kubectl get -o json \\| jq", []string{"sh", "-c", "kubectl get -n " + system +
			" volumes.longhorn.io,replicas.longhorn.io,engines.longhorn.io,nodes.longhorn.io -o json | jq -c '" + usual + "'"}, names},
	}
}

// verified reads a Verification.
func verified(out []byte) (bad []string, err error) {
	var v struct {
		Volumes []struct {
			Name      string `json:"name"`
			Condition string `json:"condition"`
		} `json:"volumes"`
	}
	if err := json.Unmarshal(out, &v); err != nil {
		return nil, err
	}
	for _, x := range v.Volumes {
		if x.Condition != "Whole" {
			bad = append(bad, x.Name)
		}
	}
	return bad, nil
}

// Comparison says what is compared.
type Comparison struct {
	// Volumes is the number of volumes of each cluster.
	Volumes []int
	// Rounds is how often each way is measured; the median counts.
	Rounds int
	// Log is told how far it is.
	Log io.Writer
}

// Run measures every way on each cluster and returns the tables as Markdown.
func (c Comparison) Run(ctx context.Context) (string, error) {
	bin, err := bench.Build(ctx, c.Log)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, n := range c.Volumes {
		t := trial{Comparison: c, shape: ShapeFor(n)}
		costs, err := t.run(ctx, bin)
		if err != nil {
			return "", fmt.Errorf("%d volumes: %w", n, err)
		}
		write(&out, t.shape, costs)
	}
	return out.String(), nil
}

// trial is the comparison on one cluster.
type trial struct {
	Comparison
	shape   Shape
	cluster *bench.Cluster
	env     []string
}

func (t *trial) run(ctx context.Context, bin bench.Binaries) (_ []measured, err error) {
	// The machines do not exist: nobody is to find that out and tidy up.
	t.cluster, err = bench.Start(ctx, bench.Options{Binaries: bin, ExtraArgs: map[string][]string{
		"kube-controller-manager": {"--controllers=-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller," +
			"-garbage-collector-controller,-persistentvolume-binder-controller,-persistentvolume-attach-detach-controller"},
		"etcd": {"--quota-backend-bytes=8589934592"},
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.cluster.Destroy()) }()
	if err := standin.InstallCRDs(ctx, t.cluster.Config()); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := Fill(ctx, t.cluster.EtcdURL(), t.shape); err != nil {
		return nil, err
	}
	fmt.Fprintf(t.Log, "# filled with %s in %s\n", t.shape, time.Since(began).Round(time.Second))
	if t.env, err = environment(ctx, bin, t.cluster); err != nil {
		return nil, err
	}
	return t.measure(ctx)
}

// environment builds the plugin and returns an environment in which kubectl
// finds it and the cluster.
func environment(ctx context.Context, bin bench.Binaries, c *bench.Cluster) ([]string, error) {
	dir := filepath.Join(c.Dir(), "bin")
	source, err := bench.SourceDir("..")
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "kubectl-safe_roll"), "./cmd/kubectl-safe_roll")
	build.Dir = source
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the plugin: %w\n%s", err, said)
	}
	path := dir + ":" + filepath.Dir(bin.Kubectl) + ":" + os.Getenv("PATH")
	return append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "PATH="+path), nil
}

// measured is what one way has cost, one Cost a round, and whether its answer
// was right.
type measured struct {
	way   way
	costs []Cost
	right string
}

// measure measures every way, in rounds.
func (t *trial) measure(ctx context.Context) ([]measured, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := Floor(ctx, t.cluster.Config()); err != nil { // fills the server's caches
		return nil, err
	}
	var out []measured
	for _, w := range ways(self) {
		out = append(out, measured{way: w})
	}
	for round := range t.Rounds {
		for i := range out {
			w := out[i].way
			cost, err := t.ask(ctx, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			fmt.Fprintf(t.Log, "# round %d: %-36s %8s wall %8s CPU %5d MiB, exit code %d\n", round+1, w.name,
				cost.Wall.Round(10*time.Millisecond), cost.CPU.Round(10*time.Millisecond), cost.Memory>>20, cost.ExitCode)
			if out[i].right, err = w.judge(cost.Output, t.shape); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			if i > 0 && out[i].right != right {
				fmt.Fprintf(t.Log, "# %s; it said: %.600s\n", out[i].right, cost.Output)
			}
			cost.Output = nil
			out[i].costs = append(out[i].costs, cost)
		}
	}
	return out, nil
}

// ask asks once, with the nodes' leases fresh.
func (t *trial) ask(ctx context.Context, w way) (Cost, error) {
	if err := Renew(ctx, t.cluster.EtcdURL(), t.shape); err != nil {
		return Cost{}, err
	}
	cmd := exec.CommandContext(ctx, w.args[0], w.args[1:]...)
	cmd.Env = t.env
	cmd.Path = lookPath(t.env, w.args[0])
	return Measure(ctx, t.cluster.Config(), cmd)
}

const right = "right"

// judge says whether the answer is right: exactly one volume is not whole.
func (w way) judge(out []byte, s Shape) (string, error) {
	if w.answer == nil {
		return "–", nil
	}
	bad, err := w.answer(out)
	if err != nil {
		return "", err
	}
	switch {
	case slices.Equal(bad, []string{s.Phantom()}):
		return right, nil
	case len(bad) == 0:
		return "wrong: all are whole", nil
	default:
		return fmt.Sprintf("wrong: names %d", len(bad)), nil
	}
}

// lookPath finds a program on the PATH of an environment.
func lookPath(env []string, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	for i := len(env) - 1; i >= 0; i-- {
		dirs, ok := bytes.CutPrefix([]byte(env[i]), []byte("PATH="))
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(string(dirs)) {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 {
				return filepath.Join(dir, name)
			}
		}
	}
	return name
}
