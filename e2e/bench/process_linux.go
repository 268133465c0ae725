// SPDX-License-Identifier: Apache-2.0

package bench

import "syscall"

// tiedTo makes a child get the signal when its parent dies, however it dies. The
// kernel ties the child to the thread that started it: see runTied.
func tiedTo(sig syscall.Signal) *syscall.SysProcAttr {
	// Its own process group: Ctrl-C at a terminal reaches us alone, and we end
	// the children in our own order.
	return &syscall.SysProcAttr{Pdeathsig: sig, Setpgid: true}
}
