// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the public JSON types of safe-roll: what programs
// read from `-o json`. It is the only package whose Go API is meant to be
// imported by others.
//
// It may import the standard library only. Within v1alpha1 a field is never
// renamed, never changes its type and never disappears; fields and values may
// be added, so a reader ignores what it does not know. A type here must never
// decide or compute anything.
//
// Start reading at Verification.
package v1alpha1
