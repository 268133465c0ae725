// SPDX-License-Identifier: Apache-2.0

// Package krew holds one test: what is released is installed, run, upgraded
// and taken away again with the real krew and the real kubectl, as a user
// would.
//
// It may build the release and krew, and serve files on loopback. It must
// never touch the krew of the machine: every run has a root of its own.
//
// Start reading at TestKrew_InstallsRunsUpgradesAndUninstalls.
package krew
