// SPDX-License-Identifier: Apache-2.0

//go:build unix

package act

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// ownGroup gives the command a process group of its own, so that Ctrl-C on the
// terminal reaches safe-roll alone, and has the whole group stopped when the
// command's context ends: politely, and after the grace not. The returned
// function must be called once the command has ended.
func ownGroup(cmd *exec.Cmd, grace time.Duration) (ended func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var mu sync.Mutex
	var kill *time.Timer
	over := false
	cmd.Cancel = func() error {
		mu.Lock()
		defer mu.Unlock()
		group := -cmd.Process.Pid
		if !over {
			kill = time.AfterFunc(grace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		}
		if err := syscall.Kill(group, syscall.SIGTERM); err != nil {
			if errors.Is(err, syscall.ESRCH) {
				return os.ErrProcessDone
			}
			return err
		}
		return nil
	}
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		if kill != nil && kill.Stop() {
			// The shell went politely; whatever it left behind goes as well.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}
