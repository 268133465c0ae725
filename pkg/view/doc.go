// SPDX-License-Identifier: Apache-2.0

// Package view turns conclusions into words for people and JSON for programs.
//
// It may import the pure rooms, roll's reports and the public types, and
// writes to the writers it is given. It decides nothing: every verdict, count
// and reason that it prints was concluded elsewhere, and it must never leave
// one out without saying how many. Results and progress are different writers.
//
// Start reading at Answer (verify), Refusal, and Progress (a live roll).
package view
