// SPDX-License-Identifier: Apache-2.0

// Package disk is what lies on a Longhorn disk: one folder for each replica,
// with a description and the bytes. It reads and writes such folders, and says
// which of them really hold what was written: the only judge of whether data
// survived.
//
// It may touch the folders that it is given. It must never ask an API server,
// or anything else that may be mistaken.
//
// Start reading at Truth.
package disk
