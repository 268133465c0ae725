// SPDX-License-Identifier: Apache-2.0

// Package fakeapi is a small API server for tests: it keeps objects as JSON
// and enforces the few rules of kube-apiserver that deeds and the journal lean
// on.
//
// client-go's fake clientset enforces neither identity nor resourceVersion, so
// a test of a compare-and-swap over it would prove nothing. This one answers
// as kube-apiserver 1.35 does: a stale resourceVersion is 409, another UID in
// a patch is 422 on metadata.uid (in an update and in a deletion's
// preconditions 409), a dry run changes nothing, a deletion with finalizers
// only sets the time. It knows no schema, no watch and no authorisation; any
// call can be held, refused, or lose its answer before or after its effect.
//
// It may import the standard library, apimachinery and client-go/rest. It must
// never be linked into the program: tests alone import it.
//
// Start reading at Server.
package fakeapi
