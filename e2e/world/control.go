// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
)

// ControlEnv names the environment variable by which the command machine finds
// the world, as a cloud's command finds its endpoint.
const ControlEnv = "SAFE_ROLL_BENCH_CONTROL"

// control is the cloud of the bench: it ends machines and makes them, on
// request of the commands that an operator gives to the tool.
type control struct {
	url    string
	server *http.Server
	done   chan struct{}

	mu sync.Mutex // one request at a time
	w  *World
}

func (w *World) listen(ctx context.Context) (*control, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{url: "http://" + l.Addr().String(), w: w, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /replace", c.handle(c.replace))
	mux.HandleFunc("POST /retire", c.handle(c.retire))
	mux.HandleFunc("POST /create", c.handle(c.create))
	mux.HandleFunc("POST /reboot", c.handle(c.reboot))
	c.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		// A request goes on when the caller was killed, as in a real cloud.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	go func() {
		defer close(c.done)
		_ = c.server.Serve(l)
	}()
	return c, nil
}

func (c *control) close() {
	_ = c.server.Close()
	<-c.done
}

// handle runs one request to its end, whether or not the caller still waits.
func (c *control) handle(do func(ctx context.Context, r *http.Request) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.w.limit)
		defer cancel()
		if err := do(ctx, r); err != nil {
			http.Error(rw, err.Error(), http.StatusConflict)
		}
	}
}

// machine checks that the node is the machine that the caller means. A machine
// that is gone is no error: the commands must be idempotent.
func (c *control) machine(r *http.Request) (name string, gone bool) {
	name = r.FormValue("node")
	n, ok := c.w.Fleet.Node(name)
	return name, !ok || string(n.UID) != r.FormValue("uid")
}

func (c *control) replace(ctx context.Context, r *http.Request) error {
	name, gone := c.machine(r)
	if gone {
		return c.create(ctx, r)
	}
	return c.w.replace(ctx, name, as(r))
}

func (c *control) retire(ctx context.Context, r *http.Request) error {
	name, gone := c.machine(r)
	if gone {
		return nil
	}
	return c.w.Fleet.DeleteNode(ctx, name, hollow.DestroyDisk)
}

func (c *control) create(ctx context.Context, r *http.Request) error {
	err := c.w.create(ctx, as(r))
	if errors.Is(err, hollow.ErrNodeExists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", as(r), err)
	}
	return nil
}

// dark is how long a machine is down while it is rebooted.
const dark = 10 * time.Second

// reboot has the machine go down and come back with its disk, unless it has had
// another boot since the caller looked.
func (c *control) reboot(ctx context.Context, r *http.Request) error {
	name, gone := c.machine(r)
	if gone {
		return fmt.Errorf("there is no such machine as %s", name)
	}
	if n, _ := c.w.Fleet.Node(name); n.BootID != r.FormValue("boot") {
		return nil
	}
	if err := c.w.PowerOff(ctx, name); err != nil {
		return err
	}
	time.Sleep(dark)
	return c.w.PowerOn(ctx, name)
}

// as is the new machine's name: the old one plus a suffix, if one was given.
func as(r *http.Request) string { return r.FormValue("node") + r.FormValue("suffix") }
