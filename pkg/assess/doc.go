// SPDX-License-Identifier: Apache-2.0

// Package assess turns facts into a judgement: the standing of every replica,
// whether every volume is whole, and whether a node may be drained or deleted.
//
// It is pure, total and deterministic: no client, no printing, no goroutine,
// no clock (now is an argument), and the same facts give the same bytes. It
// may import cluster and policy. It must never count what it does not know.
//
// Start reading at Judge; each rule is a file of its own, and codes.go is the
// catalogue of what it can say.
package assess
