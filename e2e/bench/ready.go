// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// await asks until ready returns nil, ctx ends, or a part of the control plane
// dies. The error says what was awaited and the last answer.
func (c *Cluster) await(ctx context.Context, what string, ready func(context.Context, kubernetes.Interface) error) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		asked, cancel := context.WithTimeout(ctx, 5*time.Second)
		last := ready(asked, client)
		cancel()
		if last == nil {
			return nil
		}
		if err := c.Check(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (last answer: %w)", what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// apiReady asks the API server for its own opinion, which includes that RBAC's
// and the scheduler's built-in objects exist.
func (c *Cluster) apiReady(ctx context.Context, client kubernetes.Interface) error {
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// accountReady: without it, admission refuses every pod.
func (c *Cluster) accountReady(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
	return err
}

// StopAPIServer ends the API server alone, as if its machine had failed. The
// rest of the control plane keeps running and tries again.
func (c *Cluster) StopAPIServer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.running[apiServer]; p != nil {
		p.kill()
		delete(c.running, apiServer)
	}
}

// StartAPIServer starts the API server again after StopAPIServer, on the same
// port and with the same data, and returns when it is ready.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	there := c.running[apiServer] != nil
	c.mu.Unlock()
	if there {
		return fmt.Errorf("the API server of %s is running already", c.dir)
	}
	limited, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("start limit of %s passed", startLimit))
	defer cancel()
	if err := c.launch(apiServer); err != nil {
		return err
	}
	if err := c.await(limited, "the API server to be ready", c.apiReady); err != nil {
		return fmt.Errorf("start the API server: %w (logs: %s)", err, c.logDir())
	}
	return nil
}
