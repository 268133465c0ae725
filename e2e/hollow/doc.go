// SPDX-License-Identifier: Apache-2.0

// Package hollow gives a control plane nodes that are real to it and have
// nothing inside: machines that are switched on and off, each with a kubelet
// that registers a Node, renews its lease, and makes the pods bound to it
// Running, Ready and, when they are told to go, gone. Volumes are attached by
// the real attach-detach controller and mounted through a VolumeDriver, which a
// stand-in for the storage system implements. Every machine has a folder that
// is its disk.
//
// It may touch: Nodes, their Leases and CSINodes, the status of pods bound to
// its own machines and the removal of those that terminate, and the folder that
// it was given. The functions in workloads.go and longhorn.go create objects on
// request.
//
// It must never: play a controller (eviction, garbage collection, attaching,
// scheduling and node lifecycle are done by the real ones); know what a replica
// is; give a machine that is off any life.
//
// A kubelet here runs no containers: a pod runs until it is deleted, whatever
// its command or probes say. What kubectl exec asks for is handed to whoever
// was given as Options.Commands (exec.go).
//
// Start reading at Fleet in fleet.go, then kubelet.go and pod.go.
package hollow
