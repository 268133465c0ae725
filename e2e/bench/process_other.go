// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package bench

import "syscall"

// tiedTo cannot tie a child to its parent's life here: only Linux has a signal
// for it. Stop still ends every child.
func tiedTo(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
