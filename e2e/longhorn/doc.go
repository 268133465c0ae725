// SPDX-License-Identifier: Apache-2.0

// Package longhorn brings Longhorn's own manager, unmodified, and the resource
// definitions that belong to it. Each folder below is a module that pins one
// version with its whole dependency set, and nothing else: a version is added
// by adding a folder. Where the checksum database does not know a module, the sums
// are those of the manager's own go.sum, which it does know.
//
// It may touch the build cache (see bench.CacheDir) and the Go module cache. It
// must never change what it builds, and downloads nothing but Go modules.
//
// Start reading at Build.
package longhorn
