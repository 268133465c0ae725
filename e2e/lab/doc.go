// SPDX-License-Identifier: Apache-2.0

// Package lab puts Longhorn's real, unmodified manager under the bench: one
// process for each machine of a hollow fleet, in network, mount, PID and UTS
// namespaces of its own, with a disk of its own. Every Longhorn object in the
// cluster is written by Longhorn itself. Only instance managers (see package
// instance), the CSI sidecars and the kubelet are stand-ins.
//
// All of it happens in a private network and mount namespace that the whole
// process is in (see Main), made by root or, where the kernel allows it, by
// anybody in a user namespace. The kernel takes everything away with the
// process, however that ends.
//
// It may touch that namespace, the folder that it is given, and the cluster. It
// must never change the manager, nor write a Longhorn object but what CSI
// sidecars would.
//
// Start reading at Main in site.go and Lab in lab.go; machine.go is the power,
// runtime.go the pods.
package lab
