// SPDX-License-Identifier: Apache-2.0

// Package device is what a kubelet and a workload do with a volume's block
// device: look for a file system, make one where there is none, mount, write,
// read. A blank replica that answers shows here, as it does in life: the volume
// is formatted anew.
//
// It may touch the devices that it is given. It must never know how a device
// comes to be, or where its bytes lie.
//
// Start reading at Files.
package device
