// SPDX-License-Identifier: Apache-2.0

// Package worldtest is what every test over a world begins with: a site for
// labs, a world that lives as long as the test and keeps its logs where that
// fails, and the questions of which a test needs the answer or its end.
//
// It may use world and lab. It must never hold a scenario: those are in the tests.
//
// Start reading at Main, then Start.
package worldtest
