// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

const (
	// startLimit bounds the start of a cluster. It takes under ten seconds on
	// two idle cores; the rest is for machines that do something else as well.
	startLimit = 3 * time.Minute
	// attempts to start, should a free port be taken before it is used.
	attempts = 3
	// defaultMonitorGrace is Options.NodeMonitorGrace if it is zero.
	defaultMonitorGrace = 8 * time.Second
)

// Options of a cluster. The zero value of each field but Binaries is usable.
type Options struct {
	// Binaries to run, from Build.
	Binaries Binaries
	// Dir is the folder that the cluster lives in: etcd's data, certificates,
	// kubeconfigs, logs. It is created, and must be empty if it exists. Empty
	// means a new temporary folder.
	Dir string
	// NodeMonitorGrace is how long a node may be silent until it counts as
	// NotReady; at least two seconds, 0 means 8 s (a real cluster has 50 s).
	NodeMonitorGrace time.Duration
	// Address is one more at which the API server answers, for nodes that have
	// a network of their own; it then listens on every address of this process's
	// network. Nil means 127.0.0.1 alone.
	Address net.IP
	// ExtraArgs are further flags by part ("kube-apiserver": {"--v=4"}); they
	// come last and so override the bench's own.
	ExtraArgs map[string][]string
}

// Cluster is a running control plane. Its methods may be called concurrently.
type Cluster struct {
	opts  Options
	dir   string
	ports ports
	owner *os.File // its lock says that the folder is in use
	ca    *authority
	admin *rest.Config

	mu      sync.Mutex
	running map[string]*process
	stopped bool
	forget  func() bool // ends the tie to the context
}

// Start starts a control plane and returns when it answers: the API server is
// ready and the default ServiceAccount exists, so pods can be created. The
// cluster lives until Stop, until ctx ends, or until this process dies, by
// whichever signal. A start that fails leaves no process, and of its folder only
// the logs, which the error names and quotes.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	if opts.NodeMonitorGrace == 0 {
		opts.NodeMonitorGrace = defaultMonitorGrace
	}
	if opts.NodeMonitorGrace < 2*time.Second {
		return nil, fmt.Errorf("node monitor grace %s is less than 2s", opts.NodeMonitorGrace)
	}
	if !executable(opts.Binaries.Program) {
		return nil, fmt.Errorf("no control plane at %q: call bench.Build first", opts.Binaries.Program)
	}
	dir, err := makeDir(opts.Dir)
	if err != nil {
		return nil, err
	}
	owner, err := own(dir)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("start limit of %s passed", startLimit))
	defer cancel()
	for n := 1; ; n++ {
		c := &Cluster{opts: opts, dir: dir, owner: owner, running: map[string]*process{}, forget: func() bool { return true }}
		err := c.start(limited)
		if err == nil {
			forget := context.AfterFunc(ctx, c.Stop)
			c.mu.Lock()
			c.forget = forget
			c.mu.Unlock()
			return c, nil
		}
		clash := c.lostPort()
		err = fmt.Errorf("start the control plane: %w (logs: %s)", err, c.logDir())
		if !clash || n == attempts || limited.Err() != nil {
			c.Stop()
			return nil, err
		}
		c.end()
		c.removeData()
		if err := os.RemoveAll(c.logDir()); err != nil {
			return nil, fmt.Errorf("start again: %w", err)
		}
	}
}

// start makes one attempt.
func (c *Cluster) start(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	// The API server waits for etcd by itself.
	for _, name := range []string{etcd, apiServer} {
		if err := c.launch(name); err != nil {
			return err
		}
	}
	if err := c.await(ctx, "the API server to be ready", c.apiReady); err != nil {
		return err
	}
	for _, name := range []string{controller, scheduler} {
		if err := c.launch(name); err != nil {
			return err
		}
	}
	return c.await(ctx, "the default ServiceAccount", c.accountReady)
}

// prepare picks the ports and writes certificates and kubeconfigs.
func (c *Cluster) prepare(ctx context.Context) error {
	free, err := freePorts(ctx, 3)
	if err != nil {
		return err
	}
	c.ports = ports{etcd: free[0], etcdPeer: free[1], api: free[2]}
	if c.ca, err = newAuthority("safe-roll-bench"); err != nil {
		return err
	}
	var further []net.IP
	if c.opts.Address != nil {
		further = append(further, c.opts.Address)
	}
	if err := c.ca.writeServerFiles(filepath.Join(c.dir, "pki"), further...); err != nil {
		return err
	}
	if err := os.MkdirAll(c.logDir(), 0o755); err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	if c.admin, err = c.identity("admin", "admin", "system:masters"); err != nil {
		return err
	}
	for _, part := range []string{controller, scheduler} {
		if _, err := c.identity(part, "system:"+part); err != nil {
			return err
		}
	}
	return nil
}

// launch starts one part.
func (c *Cluster) launch(name string) error {
	var args []string
	switch name {
	case etcd:
		args = c.etcdArgs()
	case apiServer:
		args = c.apiServerArgs()
	case controller:
		args = c.controllerArgs()
	case scheduler:
		args = c.schedulerArgs()
	}
	args = append(args, c.opts.ExtraArgs[name]...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return errors.New("the cluster has been stopped")
	}
	p, err := launch(c.opts.Binaries.Program, name, c.logFile(name), args)
	if err != nil {
		return err
	}
	c.running[name] = p
	return nil
}

// lostPort says whether a part ended because another process took its port.
func (c *Cluster) lostPort() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.running {
		if p.ended() && strings.Contains(p.tail(200), "address already in use") {
			return true
		}
	}
	return false
}

// Stop ends every process at once and returns when they are gone. Of the folder
// only the logs stay, and what others have put there; see Destroy. It may be
// called more than once.
func (c *Cluster) Stop() {
	c.end()
	c.removeData()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner != nil {
		_ = os.Remove(c.owner.Name()) // a folder without it is never swept
		_ = c.owner.Close()
		c.owner = nil
	}
}

// end ends every process.
func (c *Cluster) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.forget()
	// Without grace: nothing in them is to be kept. The order spares the logs
	// the complaints of a part whose server is gone.
	for _, name := range []string{scheduler, controller, apiServer, etcd} {
		if p := c.running[name]; p != nil {
			p.kill()
		}
	}
}

// Destroy is Stop, and deletes the cluster's folder with all that is in it.
func (c *Cluster) Destroy() error {
	c.Stop()
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("delete the cluster's folder: %w", err)
	}
	return nil
}

// Dir is the cluster's folder.
func (c *Cluster) Dir() string { return c.dir }

// URL is the API server's address.
func (c *Cluster) URL() string { return "https://" + loopback(c.ports.api) }

// Port is the API server's port, on every address at which it answers.
func (c *Cluster) Port() int { return c.ports.api }

// Logs returns the log file of each part, sorted.
func (c *Cluster) Logs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var files []string
	for name := range c.running {
		files = append(files, c.logFile(name))
	}
	slices.Sort(files)
	return files
}

// Check returns an error that names the part, its log and the log's last lines
// if a part of the control plane has ended although nobody stopped it.
func (c *Cluster) Check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	for _, name := range []string{etcd, apiServer, controller, scheduler} {
		if p := c.running[name]; p != nil && p.ended() {
			return fmt.Errorf("%s has ended (%w), its log %s ends:\n%s", name, p.exit(), p.log, p.tail(15))
		}
	}
	return nil
}

func (c *Cluster) logDir() string { return filepath.Join(c.dir, "logs") }

func (c *Cluster) logFile(name string) string { return filepath.Join(c.logDir(), name+".log") }
