// SPDX-License-Identifier: Apache-2.0

// Package world is the API bench as a test world: a real control plane, hollow
// nodes and the stand-in for Longhorn, in the language of pkg/scenario, with
// the tool under test beside it as a process of its own.
//
// It may touch the cluster that it started and nothing else. It must never
// help the tool: the tool reaches the cluster through its API alone, and
// machines through the command that an operator would give it.
//
// Start reading at Start, then verbs.go and tool.go.
package world
