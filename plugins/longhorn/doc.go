// SPDX-License-Identifier: Apache-2.0

// Package longhorn translates Longhorn's objects (group longhorn.io, as
// written by versions 1.4 to 1.12) into facts, and facts into changes of those
// objects.
//
// It may import plugin, cluster, forecast and Longhorn's own clientset, which
// it uses for nothing but a REST client: objects are decoded narrowly, field
// by field, so that names that moved between versions are read under either
// name and unknown fields cost nothing. It reads no clock, no file and no API,
// and it must never vouch for a replica: what looks odd becomes a Doubt or a
// Gap with a sentence, and a value never seen becomes Unknown.
//
// Start reading at Reader.Storage (join.go), then at claim (claim.go), which
// says what Longhorn claims of one replica. The changes are in evacuate.go,
// rebuild.go and prune.go; the rules of placement are in package placement.
package longhorn
