// SPDX-License-Identifier: Apache-2.0

// Command labnode is the first process of a machine of the Longhorn lab: it
// builds the machine's own root, and then starts and kills processes as it is
// told, and takes away those that ended. It is started by package lab in new
// namespaces, never by hand.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab/machine"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "labnode:", err)
		os.Exit(1)
	}
}

func run() error {
	if os.Getpid() != 1 {
		return errors.New("I am the first process of a lab's machine; see package lab")
	}
	var s machine.Setup
	if err := json.Unmarshal([]byte(os.Getenv(machine.SetupEnv)), &s); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	if err := build(s); err != nil {
		return err
	}
	p := &processes{events: json.NewEncoder(os.NewFile(machine.EventsFD, "events")), ids: map[int]int{}}
	ended := make(chan os.Signal, 16)
	signal.Notify(ended, unix.SIGCHLD)
	go p.reap(ended)
	if err := p.events.Encode(machine.Event{}); err != nil {
		return fmt.Errorf("say that I am ready: %w", err)
	}
	orders := json.NewDecoder(os.NewFile(machine.OrdersFD, "orders"))
	for {
		var o machine.Order
		err := orders.Decode(&o)
		if errors.Is(err, io.EOF) {
			return nil // the power is off; the kernel ends the rest with me
		}
		if err != nil {
			return fmt.Errorf("orders: %w", err)
		}
		p.obey(o)
	}
}

// build makes the machine's root and moves into it.
func build(s machine.Setup) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("root", s.Root, "tmpfs", 0, "size=64m,mode=755"); err != nil {
		return fmt.Errorf("mount the root: %w", err)
	}
	for _, dir := range []string{"proc", "tmp", "old", "root", "run", "var", "host/proc"} {
		if err := os.MkdirAll(filepath.Join(s.Root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+l, filepath.Join(s.Root, l)); err != nil {
			return err
		}
	}
	if err := os.Symlink("../run", filepath.Join(s.Root, "var/run")); err != nil {
		return err
	}
	for to, from := range s.Binds {
		to = filepath.Join(s.Root, to)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s: %w", from, err)
		}
	}
	for name, content := range s.Files {
		if err := write(filepath.Join(s.Root, name), content); err != nil {
			return err
		}
	}
	return enter(s)
}

func write(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if filepath.Base(filepath.Dir(path)) == "bin" {
		mode = 0o755
	}
	return os.WriteFile(path, []byte(content), mode)
}

func enter(s machine.Setup) error {
	if err := unix.Sethostname([]byte(s.Name)); err != nil {
		return fmt.Errorf("host name: %w", err)
	}
	if err := unix.PivotRoot(s.Root, filepath.Join(s.Root, "old")); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("/proc", "/host/proc", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind /proc: %w", err)
	}
	if err := unix.Unmount("/old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return nil
}

// processes are those that were ordered. The lock is held while one starts, so
// that none ends before it is known.
type processes struct {
	mu     sync.Mutex
	events *json.Encoder
	ids    map[int]int // by PID
}

func (p *processes) obey(o machine.Order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Kill {
		for pid, id := range p.ids {
			if id == o.ID {
				_ = unix.Kill(-pid, unix.SIGKILL) // its group; gone already is fine
			}
		}
		return
	}
	pid, err := start(o)
	if err != nil {
		_ = p.events.Encode(machine.Event{ID: o.ID, Status: err.Error()}) // fails when nobody listens
		return
	}
	p.ids[pid] = o.ID
}

func start(o machine.Order) (int, error) {
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	proc, err := os.StartProcess(o.Path, append([]string{o.Path}, o.Args...), &os.ProcAttr{
		Env: o.Env, Files: []*os.File{null, log, log}, Sys: &unix.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return 0, err
	}
	defer func() { _ = proc.Release() }()
	return proc.Pid, nil
}

// reap takes away what has ended, orphans too.
func (p *processes) reap(ended <-chan os.Signal) {
	for range ended {
		for p.reapOne() {
		}
	}
}

func (p *processes) reapOne() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var st unix.WaitStatus
	pid, err := unix.Wait4(-1, &st, unix.WNOHANG, nil)
	if err != nil || pid <= 0 {
		return false
	}
	if id, ok := p.ids[pid]; ok {
		delete(p.ids, pid)
		says := fmt.Sprintf("exit status %d", st.ExitStatus())
		if st.Signaled() {
			says = strings.ToLower(st.Signal().String())
		}
		_ = p.events.Encode(machine.Event{ID: id, Status: says}) // fails when nobody listens
	}
	return true
}
