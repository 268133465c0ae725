// SPDX-License-Identifier: Apache-2.0

package placing

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

// Version is the one that is asked.
const Version = "v1.8.1"

// Question is a cluster's objects, and what happens to it.
type Question struct {
	// Objects are Longhorn's, by resource; Kube are the Kubernetes nodes.
	Objects map[string][]json.RawMessage `json:"objects"`
	Kube    []json.RawMessage            `json:"kube"`
	// Leaving is the node that is evicted; empty to have made what the volumes
	// lack.
	Leaving string `json:"leaving"`
	// Order is that in which the volumes are worked on.
	Order []string `json:"order"`
}

// Step is one replica that was made.
type Step struct {
	Volume string `json:"volume"`
	Node   string `json:"node"`
	Disk   string `json:"disk"` // its UUID
	// Reused: a failed replica was rebuilt where it lay.
	Reused bool `json:"reused"`
}

// Answer is what Longhorn did.
type Answer struct {
	// Alone is what each volume gets in the cluster as it is, by itself;
	// ShortAlone are those that then have too few replicas elsewhere.
	Alone      map[string][]Step `json:"alone"`
	ShortAlone []string          `json:"shortAlone"`
	// Steps, Short and Left are what became of all of them together: what was
	// made, what lacks replicas, and what is on the leaving node still.
	Steps []Step   `json:"steps"`
	Short []string `json:"short"`
	Left  []string `json:"left"`
	// End are the nodes and the replicas at the end, by resource.
	End map[string][]json.RawMessage `json:"end"`
}

// Oracle is a running program that answers.
type Oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// Build returns the path of the program, building it if the cache does not hold
// it; most of what it is made of is in Longhorn's manager as well.
func Build(ctx context.Context, out io.Writer) (string, error) {
	src, err := bench.SourceDir(filepath.Join("placing", Version))
	if err != nil {
		return "", err
	}
	return bench.Program{
		Name: "placing", Title: "Longhorn's scheduler " + Version, Minutes: 8, Source: src, Package: ".", LinkFlags: "-s -w",
	}.Build(ctx, out)
}

// Start builds the program and starts it.
func Start(ctx context.Context, out io.Writer) (*Oracle, error) {
	path, err := Build(ctx, out)
	if err != nil {
		return nil, err
	}
	o := &Oracle{cmd: exec.CommandContext(ctx, path)}
	o.cmd.Stderr = os.Stderr
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	pipe, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewScanner(pipe)
	o.out.Buffer(nil, 64<<20)
	return o, o.cmd.Start()
}

// Ask returns what Longhorn does.
func (o *Oracle) Ask(q Question) (Answer, error) {
	raw, err := json.Marshal(q)
	if err != nil {
		return Answer{}, err
	}
	if _, err := o.in.Write(append(raw, '\n')); err != nil {
		return Answer{}, fmt.Errorf("ask Longhorn's scheduler: %w", err)
	}
	if !o.out.Scan() {
		return Answer{}, fmt.Errorf("Longhorn's scheduler gave no answer: %w", o.out.Err())
	}
	var a Answer
	return a, json.Unmarshal(o.out.Bytes(), &a)
}

// Close ends the program.
func (o *Oracle) Close() error {
	if err := o.in.Close(); err != nil {
		return err
	}
	return o.cmd.Wait()
}
