// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package lab

import (
	"net"
	"syscall"

	"github.com/vishvananda/netlink"
)

// Elsewhere there is no site, and so no lab: New says so, and none of these is
// ever called but siteNamespaces.

func siteNamespaces() *syscall.SysProcAttr    { return nil }
func machineNamespaces() *syscall.SysProcAttr { return nil }
func settle() error                           { return errNotLinux }
func mount(string, int64) error               { return errNotLinux }
func unmount(string) error                    { return errNotLinux }
func claimBlock() (int, net.IP, error)        { return 0, nil, errNotLinux }
func addAddress(string) error                 { return errNotLinux }
func dropAddress(string) error                { return errNotLinux }

func wire(int, net.IP) (*netlink.Handle, error) { return nil, errNotLinux }

func within(*netlink.Handle, string, func(netlink.Link, *netlink.Addr) error) error {
	return errNotLinux
}
