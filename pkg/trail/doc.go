// SPDX-License-Identifier: Apache-2.0

// Package trail is what a roll leaves for others to find: Events on the Nodes
// and claims that it touched, which kubectl describe shows, and a file of
// metrics in Prometheus' text format.
//
// It may watch a roll, create Events and write that one file. It must never
// hold a roll up, fail it, or be read by it: what decides is in the journal.
//
// Start reading at Events.Watch.
package trail
