// SPDX-License-Identifier: Apache-2.0

// Package bench builds and runs a real Kubernetes control plane on this
// machine: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as
// ordinary processes on 127.0.0.1, without containers and without root. It has
// no nodes: those come from package hollow.
//
// It may touch: the build cache (see CacheDir), the folder of each cluster that
// it starts, free ports on 127.0.0.1, and the processes that it started itself.
// It needs the go command, once, to build the control plane from its modules at
// the versions pinned in ../controlplane/go.mod.
//
// It must never: know anything of Longhorn or of safe-roll; download anything
// but Go modules; listen anywhere but on 127.0.0.1, unless it is given another
// address; leave a process behind, not even when the program that uses it is
// killed with SIGKILL.
//
// Start reading at Start in cluster.go; component.go holds the flags of each
// part, build.go how the binary comes to be.
package bench
