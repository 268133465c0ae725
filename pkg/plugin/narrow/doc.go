// SPDX-License-Identifier: Apache-2.0

// Package narrow decodes objects of a Kubernetes API as far as their reader
// names fields, and keeps nothing else of them: what a large cluster holds does
// not fit into a laptop otherwise.
//
// It is pure, and may be used by whoever reads objects: observe for Kubernetes'
// own, a storage's plugin for its. It must never know a kind, nor guess: what
// cannot be decoded is an error.
//
// Start reading at Decode.
package narrow
