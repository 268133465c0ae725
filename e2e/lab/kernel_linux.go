// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// siteNamespaces are those of a process in a site, which dies with the thread
// that started it. Who is not root becomes root of a user namespace first.
func siteNamespaces() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return a
}

// machineNamespaces are those of a machine's first process, which dies with the
// thread that started it.
func machineNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL, Setpgid: true,
	}
}

// keepMounts keeps what is mounted in this namespace from being seen outside.
func keepMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	return nil
}

// mount makes a folder a file system in memory, of a size in bytes.
func mount(dir string, size int64) error {
	return unix.Mount("disk", dir, "tmpfs", 0, "mode=755,size="+strconv.FormatInt(size, 10))
}

// unmount ends it when nobody uses it any more.
func unmount(dir string) error { return unix.Unmount(dir, unix.MNT_DETACH) }
