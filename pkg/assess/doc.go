// SPDX-License-Identifier: Apache-2.0

// Package assess turns facts into a judgement: the standing of every replica,
// whether every volume is whole, and whether a node may be drained or deleted.
//
// It is pure, total and deterministic: no client, no printing, no goroutine,
// no clock (now is an argument), and the same facts give the same bytes. It
// may import cluster and policy. It must never count what it does not know.
//
// A replica passes the clauses of the predicate one after the other: its node
// lives (rule_live), is there with the storage's own object for it
// (rule_place) and somebody reports from it (rule_report), has the disk
// (rule_disk), is no younger than the data (rule_incarnation); the storage counts it (rule_claim, rule_fresh), and who
// serves it is alive (rule_engine). Doubts take down what is left
// (rule_doubt). What is certain outranks what is unknown: a replica that
// surely failed is not merely unknown because its node is silent. A volume is
// what its replicas add up to, each place counted once (count, rule_whole), or
// it is lost (rule_lost); rule_attach and rule_zone say what it is in danger of.
// rule_input and rule_pv distrust the input as a whole; rule_drain, rule_delete,
// rule_bound, rule_base and rule_orphan answer for a node; pods.go says which of
// its pods a drain takes.
//
// Three decisions that are not obvious. Absent is said only of a live node
// that has reported all its disks, because what cleans up relies on it; in
// the seconds before, the answer is Unknown. A replica that the storage was
// asked to move and that is otherwise Good is still there: whether a volume is
// whole is asked of what is here, and counts it (ReplicaJudgement.Here); what a
// node may be spared is asked of what stays, and does not (Standing). So that
// no turn begins on the strength of what is about to go,
// VolumeJudgement.Moving says that the storage is at it. And a volume that is
// lost refuses every node until its loss is accepted by its name, and then still
// every node that holds a replica or an orphan of it; one that is about to be
// formatted cannot be accepted at all.
//
// What the objects cannot show: a directory that is missing on a disk that is
// well. Plausible means just that; where somebody was sent to look, what was
// found there takes its place (rule_probe). What no rule can see: bytes that
// are stale.
//
// A roll looks again and again at a cluster in which little changes: Judger
// keeps what still holds (ground.go says when).
//
// Start reading at Judge; each rule is a file of its own, and codes.go is the
// catalogue of what it can say.
package assess
