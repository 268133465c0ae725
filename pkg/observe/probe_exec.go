// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// execute runs a probe's command in its pod and returns what it wrote.
type execute func(ctx context.Context, p plugin.Probe) ([]byte, error)

const (
	// outputLimit bounds what one probe may write, complaints what it may
	// complain of.
	outputLimit    = 8 << 20
	complaintLimit = 4 << 10
)

// remote runs probes through the API server: over a WebSocket, or over SPDY
// where the server, or something before it, does not speak WebSocket.
func (c Config) remote(client rest.Interface) execute {
	return func(ctx context.Context, p plugin.Probe) ([]byte, error) {
		req := client.Post().AbsPath("/api/v1/namespaces", p.Pod.Namespace, "pods", p.Pod.Name, "exec").
			Param("container", p.Container).Param("stdout", "true").Param("stderr", "true")
		for _, arg := range p.Command {
			req = req.Param("command", arg)
		}
		var refused atomic.Bool
		exec, err := executor(c.listening(&refused), req)
		if err != nil {
			return nil, err
		}
		out, complaints := capped{limit: outputLimit}, capped{limit: complaintLimit}
		err = exec.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &complaints})
		switch {
		case err != nil && refused.Load():
			return nil, fmt.Errorf("%w: %w", errForbidden, err)
		case err != nil && complaints.Len() > 0:
			return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaints.String()))
		case err != nil:
			return nil, err
		case out.over:
			return nil, fmt.Errorf("the answer is longer than %d bytes", outputLimit)
		}
		return out.Bytes(), nil
	}
}

// errForbidden is a right that is missing.
var errForbidden = errors.New("forbidden")

// listening is the configuration of one command. Whether it was refused is
// heard from the answer itself: the upgrade's error has only the words of it.
func (c Config) listening(refused *atomic.Bool) *rest.Config {
	cfg := rest.CopyConfig(c.REST)
	cfg.Timeout = 0 // every probe has a context with a limit
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			refused.Store(err == nil && resp.StatusCode == http.StatusForbidden)
			return resp, err
		})
	})
	return cfg
}

func executor(cfg *rest.Config, req *rest.Request) (remotecommand.Executor, error) {
	url := req.URL()
	ws, err := remotecommand.NewWebSocketExecutor(cfg, "GET", url.String())
	if err != nil {
		return nil, fmt.Errorf("no WebSocket to the API server: %w", err)
	}
	spdy, err := remotecommand.NewSPDYExecutor(cfg, "POST", url)
	if err != nil {
		return nil, fmt.Errorf("no SPDY to the API server: %w", err)
	}
	both, err := remotecommand.NewFallbackExecutor(ws, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return nil, errors.Join(errors.New("no way to run a command"), err)
	}
	return both, nil
}

// capped keeps what is written up to its limit, and whether there was more.
type capped struct {
	bytes.Buffer
	limit int
	over  bool
}

func (c *capped) Write(b []byte) (int, error) {
	if room := c.limit - c.Len(); len(b) > room {
		c.over = true
		c.Buffer.Write(b[:max(room, 0)])
		return len(b), nil
	}
	return c.Buffer.Write(b)
}
