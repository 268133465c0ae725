// SPDX-License-Identifier: Apache-2.0

// Package sim is a cluster in memory that can go wrong on purpose: machines,
// pods, disruption budgets, the one model of Longhorn's behaviour, people who
// do foolish things, and failpoints at every call. Its clock is virtual, one
// seed gives one history, byte for byte, and it knows the truth: which bytes
// lie on which disk. It can lose data, and does under plain drain-and-delete.
//
// It joins the real loop, the real decisions and the real deeds: package act
// sends its requests, and they are answered here, one by one, with 409s, 429s,
// timeouts and late effects where the faults say so. Only the reading of
// Kubernetes' own objects takes a shorter way than in a cluster. That is why it
// may import act and book although they are rooms of IO: no connection is ever
// opened, and nothing outside the process is touched.
//
// It must never be linked into the program, and never judge: what a history is
// worth is said by package oracle.
//
// Everything must run inside a bubble of testing/synctest, whose clock it uses.
//
// Start reading at Run, then World and Process; cases.go says what is rolled,
// faults.go and operators.go what goes wrong, peers.go what others do.
package sim
