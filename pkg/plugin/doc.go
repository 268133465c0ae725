// SPDX-License-Identifier: Apache-2.0

// Package plugin is the contract between safe-roll and a storage system.
//
// A plugin translates: it says which kinds it must see, turns their objects
// into facts, and says which changes of its objects would move or wake data.
// It lists, watches and writes nothing, so one translation serves a cluster,
// files and recordings. It may doubt a claim, never vouch for one.
//
// Start reading at Storage, then at the capabilities.
package plugin
