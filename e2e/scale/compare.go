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
	// Under is a command under which the asking is done, such as one that keeps
	// other work away; empty for none. Filling the clusters is not.
	Under []string
	// Wait measures too how a program that waits learns of changes.
	Wait bool
	// Skip are ways that are left out, by their number.
	Skip []int
	// Log is told how far it is.
	Log io.Writer
}

// Run fills the clusters, measures every way on each, and returns the tables as
// Markdown. The measuring is done by a process of its own: this program, called
// with "measure" or "react" and the trials on its standard input.
func (c Comparison) Run(ctx context.Context) (_ string, err error) {
	bin, err := bench.Build(ctx, c.Log)
	if err != nil {
		return "", err
	}
	var trials []Trial
	for _, n := range c.Volumes {
		cluster, t, e := c.prepare(ctx, bin, ShapeFor(n))
		if cluster != nil {
			defer func() { err = errors.Join(err, cluster.Destroy()) }()
		}
		if e != nil {
			return "", fmt.Errorf("%d volumes: %w", n, e)
		}
		trials = append(trials, t)
	}
	var results []Result
	if err := c.child(ctx, "measure", trials, &results); err != nil {
		return "", err
	}
	var out strings.Builder
	About(&out)
	for _, r := range results {
		write(&out, r)
	}
	if !c.Wait {
		return out.String(), nil
	}
	var reactions []Reaction
	if err := c.child(ctx, "react", trials, &reactions); err != nil {
		return "", err
	}
	writeReactions(&out, reactions)
	return out.String(), nil
}

// prepare starts a cluster and fills it.
func (c Comparison) prepare(ctx context.Context, bin bench.Binaries, s Shape) (*bench.Cluster, Trial, error) {
	// The machines do not exist: nobody is to find that out and tidy up.
	cluster, err := bench.Start(ctx, bench.Options{Binaries: bin, ExtraArgs: map[string][]string{
		"kube-controller-manager": {"--controllers=-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller," +
			"-garbage-collector-controller,-persistentvolume-binder-controller,-persistentvolume-attach-detach-controller"},
		"etcd": {"--quota-backend-bytes=8589934592"},
	}})
	if err != nil {
		return nil, Trial{}, err
	}
	t := Trial{Shape: s, Rounds: c.Rounds, Skip: c.Skip, Etcd: cluster.EtcdURL(), Kubeconfig: cluster.Kubeconfig()}
	if err := standin.InstallCRDs(ctx, cluster.Config()); err != nil {
		return cluster, t, err
	}
	began := time.Now()
	if err := Fill(ctx, t.Etcd, s); err != nil {
		return cluster, t, err
	}
	if err := caughtUp(ctx, cluster.Config()); err != nil {
		return cluster, t, err
	}
	fmt.Fprintf(c.Log, "# filled with %s in %s\n", s, time.Since(began).Round(time.Second))
	t.Env, err = environment(ctx, bin, cluster)
	return cluster, t, err
}

// child runs this program for that part of the work, under the command, and
// reads what it found.
func (c Comparison) child(ctx context.Context, part string, trials []Trial, found any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	plan, err := json.Marshal(trials)
	if err != nil {
		return err
	}
	args := append(append([]string(nil), c.Under...), self, part)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(plan), c.Log
	raw, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(raw, found)
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
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the plugin: %w\n%s", err, said)
	}
	path := dir + ":" + filepath.Dir(bin.Kubectl) + ":" + os.Getenv("PATH")
	return append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "PATH="+path), nil
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
