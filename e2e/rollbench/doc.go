// SPDX-License-Identifier: Apache-2.0

// Package rollbench rolls a large cluster of the API bench, and measures what the
// tool adds to the time that the world takes, what it asks of the API server while
// it waits, how soon it decides after news, and the memory that it holds.
//
// It may touch the world that it is given. It measures from outside: a proxy before
// the API server counts what is asked and notes when news was handed over. It must
// never have the tool know of that: the tool is the plugin as it is released.
//
// Start reading at Roll.Run, then ledger.go for how time is divided.
package rollbench
