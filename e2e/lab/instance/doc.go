// SPDX-License-Identifier: Apache-2.0

// Package instance stands in for Longhorn's instance managers and for the
// engine and replica processes in them, as far as Longhorn's manager talks to
// them for its v1 engine. Replicas are folders with real bytes on the disks of
// the machines; an engine reads from one and writes to all, and copies bytes
// when a replica is rebuilt, at a rate that can be set. It fails on request.
//
// What a process does that is started where its folder is missing follows the
// real one (longhorn-engine v1.8.0): it makes a blank replica and says nothing.
//
// It may touch the folders that it is given and listen on the addresses that it
// is given. It must never talk to an API server, nor know what a volume should
// be: it does what it is told, however foolish.
//
// Start reading at Plane, then server.go; proxy.go answers for engines.
package instance
