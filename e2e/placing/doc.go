// SPDX-License-Identifier: Apache-2.0

// Package placing asks Longhorn's own code where it puts replicas, to hold the
// forecast against it. Each folder below is a program that is built with the
// unmodified modules of one version; the versions cannot share a build with
// this module, so they are asked in JSON.
//
// It may touch the build cache (see bench.CacheDir), and runs what it built.
// It must never hold a rule of placement.
//
// Start reading at Oracle, then v1.8.1/play.go; the comparison is
// agree_test.go.
package placing
