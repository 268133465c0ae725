// SPDX-License-Identifier: Apache-2.0

// Package cli holds the commands: flags in, text out.
//
// A command completes its options from flags, validates them without touching
// anything, and runs. It may use every room but the worlds of tests; which
// storage systems exist is told to it by main. It must never hold a rule of
// safety, ask twice, read a global, or end the program: it returns an exit
// code.
//
// Start reading at Run, then verify.go and roll.go.
package cli
