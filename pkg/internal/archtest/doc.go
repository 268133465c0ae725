// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the house rules as tests, so that they also hold
// where nobody runs the linter: who may import whom, what every package and
// file carries, and how large things may grow.
//
// It may read the source tree and run the go command, and nothing of the
// program imports it. It must never grow an exception without a reason beside
// it: an exception is a line of a table.
//
// Start reading at layers.
package archtest
