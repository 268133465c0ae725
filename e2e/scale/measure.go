// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Cost is what asking once has cost.
type Cost struct {
	// Wall is the time that passed; CPU is what the client's processes used.
	Wall, CPU time.Duration
	// Memory is the peak resident set of the client's largest process, in bytes.
	Memory int64
	// Requests and Bytes are what the API server counted.
	Requests, Bytes float64
	// Output is what it printed, ExitCode how it ended.
	Output   []byte `json:"-"`
	ExitCode int
}

// Measure runs a command that asks the cluster of that configuration.
func Measure(ctx context.Context, cfg *rest.Config, cmd *exec.Cmd) (Cost, error) {
	before, err := served(ctx, cfg)
	if err != nil {
		return Cost{}, err
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began, done := time.Now(), make(chan struct{})
	if err := cmd.Start(); err != nil {
		return Cost{}, err
	}
	peak := watchMemory(cmd.Process.Pid, done)
	err = cmd.Wait()
	close(done)
	c := Cost{Wall: time.Since(began), Memory: <-peak, Output: out.Bytes(), ExitCode: cmd.ProcessState.ExitCode()}
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return c, err
	}
	after, err := served(ctx, cfg)
	if err != nil {
		return c, err
	}
	c.Requests, c.Bytes = after[0]-before[0], after[1]-before[1]
	if c.ExitCode != 0 && len(c.Output) == 0 {
		return c, fmt.Errorf("it ended with %d: %s", c.ExitCode, said.String())
	}
	return c, nil
}

// served is how many lists the API server has answered, and with how many bytes.
func served(ctx context.Context, cfg *rest.Config) ([2]float64, error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return [2]float64{}, err
	}
	raw, err := client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return [2]float64{}, fmt.Errorf("read the API server's metrics: %w", err)
	}
	var out [2]float64
	for line := range strings.Lines(string(raw)) {
		if !strings.Contains(line, `verb="LIST"`) {
			continue
		}
		for i, name := range []string{"apiserver_request_total{", "apiserver_response_sizes_sum{"} {
			if !strings.HasPrefix(line, name) {
				continue
			}
			value := strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return out, fmt.Errorf("a metric that is no number: %q", line)
			}
			out[i] += n
		}
	}
	return out, nil
}
