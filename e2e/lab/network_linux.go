// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

const (
	siteAddr = "172.20.255.254/16" // the site's own
	podNet   = "10.0.0.0/8"
	nodeNet  = "172.20.0.0/16"
	bridge   = "lab0"
)

// errNoBlock means that all addresses of the site are taken.
var errNoBlock = errors.New("no block of addresses is free in this site")

// claimBlock takes a block of addresses (see hollow.Options.Block) that no other
// lab of the site has, by taking its gateway, which is returned.
func claimBlock() (int, net.IP, error) {
	for block := range 150 {
		ip := net.IPv4(172, 20, byte(block), 254)
		err := addAddress(ip.String())
		if errors.Is(err, syscall.EEXIST) {
			continue
		}
		return block, ip, err
	}
	return 0, nil, errNoBlock
}

func host(ip string) (*netlink.Addr, error) { return netlink.ParseAddr(ip + "/32") }

// addAddress gives the site an address, for something in this process to listen
// on.
func addAddress(ip string) error { return onBridge(ip, netlink.AddrAdd) }

// dropAddress takes it away again.
func dropAddress(ip string) error { return onBridge(ip, netlink.AddrDel) }

func onBridge(ip string, do func(netlink.Link, *netlink.Addr) error) error {
	b, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	addr, err := host(ip)
	if err != nil {
		return fmt.Errorf("address %s: %w", ip, err)
	}
	if err := do(b, addr); err != nil {
		return fmt.Errorf("address %s: %w", ip, err)
	}
	return nil
}

// route sends what is for a network out of a link, in this namespace or another.
func route(h *netlink.Handle, l netlink.Link, network string) error {
	_, dst, err := net.ParseCIDR(network)
	if err != nil {
		return fmt.Errorf("route: %w", err)
	}
	r := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: dst, Scope: netlink.SCOPE_LINK}
	if h == nil {
		err = netlink.RouteAdd(r)
	} else {
		err = h.RouteAdd(r)
	}
	if err != nil {
		return fmt.Errorf("route to %s: %w", network, err)
	}
	return nil
}

// wire connects the network namespace of a process to the bridge by a cable,
// and gives it its address. The cable vanishes with the namespace.
func wire(pid int, ip net.IP) (_ *netlink.Handle, err error) {
	b, err := netlink.LinkByName(bridge)
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex = "lab"+strconv.Itoa(pid), b.Attrs().Index
	cable := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsPid(pid)}
	if err := netlink.LinkAdd(cable); err != nil {
		return nil, fmt.Errorf("cable: %w", err)
	}
	if err := netlink.LinkSetUp(cable); err != nil {
		return nil, fmt.Errorf("cable: %w", err)
	}
	ns, err := netns.GetFromPid(pid)
	if err != nil {
		return nil, fmt.Errorf("network of the machine: %w", err)
	}
	defer ns.Close()
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		return nil, fmt.Errorf("network of the machine: %w", err)
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	for _, name := range []string{"lo", "eth0"} {
		l, err := h.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := h.LinkSetUp(l); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := within(h, ip.String(), h.AddrAdd); err != nil {
		return nil, err
	}
	l, err := h.LinkByName("eth0")
	if err != nil {
		return nil, fmt.Errorf("eth0: %w", err)
	}
	return h, errors.Join(route(h, l, nodeNet), route(h, l, podNet))
}

// within changes an address of a machine.
func within(h *netlink.Handle, ip string, do func(netlink.Link, *netlink.Addr) error) error {
	l, err := h.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("eth0: %w", err)
	}
	addr, err := host(ip)
	if err != nil {
		return fmt.Errorf("address %s: %w", ip, err)
	}
	if err := do(l, addr); err != nil {
		return fmt.Errorf("address %s: %w", ip, err)
	}
	return nil
}

// settle makes the new namespaces ready for use: what is mounted in them stays in
// them, and there is a bridge for the machines.
func settle() error {
	if err := keepMounts(); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridge
	b := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(b); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	addr, err := netlink.ParseAddr(siteAddr)
	if err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	if err := errors.Join(netlink.AddrAdd(b, addr), netlink.LinkSetUp(b)); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	return route(nil, b, podNet)
}
