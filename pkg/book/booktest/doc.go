// SPDX-License-Identifier: Apache-2.0

// Package booktest holds every record.Book to the same claims: the one over a
// cluster, the one in memory, and whatever wraps them.
//
// It may import record, the words that events are made of, and testing. It
// must never know how a book keeps what it is given, and never be linked into
// the program: tests alone import it.
//
// Start reading at Run.
package booktest
