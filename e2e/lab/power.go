// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab/machine"
)

// bootLimit bounds the start of a machine's first process.
const bootLimit = 30 * time.Second

// box is one machine that is on: namespaces, and the process that holds them.
type box struct {
	node    hollow.Node
	init    *exec.Cmd
	orders  *json.Encoder
	pipes   []*os.File
	network *netlink.Handle
	down    chan struct{} // closed when its first process has ended

	mu     sync.Mutex
	next   int
	exited map[int]chan string // by order: receives how it ended
}

// PowerOn implements hollow.Hardware: it mounts the disk if that is new, and
// starts the machine's first process in namespaces of its own.
func (l *Lab) PowerOn(ctx context.Context, n hollow.Node) error {
	if err := l.mountDisk(n.DiskDir); err != nil {
		return err
	}
	root := filepath.Join(l.cluster.Dir, "roots", filepath.Base(n.DiskDir))
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	b, err := l.boot(ctx, n, root)
	if err != nil {
		return err
	}
	if b.network, err = wire(b.init.Process.Pid, net.ParseIP(n.IP)); err != nil {
		b.off()
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.boxes[n.Name] = b
	return nil
}

// boot starts the first process and waits until it has built its root.
func (l *Lab) boot(ctx context.Context, n hollow.Node, root string) (*box, error) {
	setup, err := json.Marshal(machine.Setup{Name: n.Name, Root: root, Files: l.files(), Binds: map[string]string{
		"usr": "/usr", "dev": "/dev", "sys": "/sys",
		diskOnMachine: n.DiskDir, binOnMachine: filepath.Dir(l.opts.Manager), logsOnMachine: l.cluster.Logs,
	}})
	if err != nil {
		return nil, fmt.Errorf("setup of %s: %w", n.Name, err)
	}
	ordersOut, ordersIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	eventsOut, eventsIn, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ordersOut.Close(), ordersIn.Close())
	}
	log, err := os.OpenFile(filepath.Join(l.cluster.Logs, "machine-"+n.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, errors.Join(err, ordersOut.Close(), ordersIn.Close(), eventsOut.Close(), eventsIn.Close())
	}
	defer log.Close()
	b := &box{
		node: n, init: exec.Command(l.cluster.Program), orders: json.NewEncoder(ordersIn), //nolint:noctx // off ends it
		pipes: []*os.File{ordersIn, eventsOut}, down: make(chan struct{}), exited: map[int]chan string{},
	}
	b.init.Env = []string{machine.SetupEnv + "=" + string(setup)}
	b.init.ExtraFiles = []*os.File{ordersOut, eventsIn} // machine.OrdersFD, machine.EventsFD
	b.init.Stdout, b.init.Stderr = log, log
	b.init.SysProcAttr = machineNamespaces()
	err = b.start()
	closed := errors.Join(ordersOut.Close(), eventsIn.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", n.Name, err), closed, b.closePipes())
	}
	ready := make(chan struct{})
	go b.listen(json.NewDecoder(eventsOut), ready)
	select {
	case <-ready:
		return b, closed
	case <-b.down:
		err = errors.New("its first process has ended")
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-time.After(bootLimit):
		err = fmt.Errorf("not ready after %s", bootLimit)
	}
	b.off()
	return nil, fmt.Errorf("start %s: %w (see %s)", n.Name, err, log.Name())
}

// start runs the first process on a thread that lives as long as it does,
// because the kernel ends it with that thread.
func (b *box) start() error {
	started := make(chan error, 1)
	go func() {
		defer close(b.down)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := b.init.Start()
		started <- err
		if err == nil {
			_ = b.init.Wait() // how it ended is of no interest: it is off
		}
	}()
	return <-started
}

// listen takes the machine's news until it is off.
func (b *box) listen(events *json.Decoder, ready chan struct{}) {
	for {
		var e machine.Event
		if err := events.Decode(&e); err != nil {
			return
		}
		if e.ID == 0 {
			close(ready)
			continue
		}
		b.mu.Lock()
		c := b.exited[e.ID]
		delete(b.exited, e.ID)
		b.mu.Unlock()
		if c != nil {
			c <- e.Status
		}
	}
}

// run starts a process on the machine; the channel receives how it ended.
func (b *box) run(o machine.Order) (id int, ended <-chan string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	o.ID = b.next
	c := make(chan string, 1)
	b.exited[o.ID] = c
	if err := b.orders.Encode(o); err != nil {
		return 0, nil, fmt.Errorf("order to %s: %w", b.node.Name, err)
	}
	return o.ID, c, nil
}

// kill ends a process on the machine; that it is gone is told by its channel.
func (b *box) kill(id int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.orders.Encode(machine.Order{ID: id, Kill: true}) // fails when the machine is off
}

// off cuts the power: the kernel ends all in the namespaces with the first
// process.
func (b *box) off() {
	_ = b.init.Process.Kill() // fails only if it has ended
	<-b.down
	if b.network != nil {
		b.network.Close()
	}
	_ = b.closePipes() // nobody is at the other end
}

func (b *box) closePipes() error {
	var failed error
	for _, f := range b.pipes {
		failed = errors.Join(failed, f.Close())
	}
	return failed
}

// PowerOff implements hollow.Hardware.
func (l *Lab) PowerOff(n hollow.Node) {
	l.mu.Lock()
	b := l.boxes[n.Name]
	delete(l.boxes, n.Name)
	l.mu.Unlock()
	if b != nil {
		b.off()
	}
}

// box returns the machine of that name, if it is on.
func (l *Lab) box(name string) (*box, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.boxes[name]
	return b, ok
}

// mountDisk makes a folder a file system of its own, once, so that it has a
// size of its own too.
func (l *Lab) mountDisk(dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.disks[dir] {
		return nil
	}
	if err := mount(dir, l.opts.DiskSize); err != nil {
		return fmt.Errorf("mount the disk %s: %w", dir, err)
	}
	l.disks[dir] = true
	return nil
}

// Scrap implements hollow.Hardware.
func (l *Lab) Scrap(dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.disks[dir] {
		return nil
	}
	delete(l.disks, dir)
	if err := unmount(dir); err != nil {
		return fmt.Errorf("unmount the disk %s: %w", dir, err)
	}
	return nil
}
