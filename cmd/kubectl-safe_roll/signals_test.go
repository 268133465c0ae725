// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

const (
	hup  = syscall.SIGHUP
	term = syscall.SIGTERM
	ctrl = syscall.SIGINT
)

func TestHeed_OnlyWhoAsksTwiceIsLetGoAtOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		sent  []os.Signal
		stops bool
		// leaves is after which of them; 0 for never.
		leaves int
	}{
		{name: "nothing"},
		{"Ctrl-C", []os.Signal{ctrl}, true, 0},
		{"asked to end", []os.Signal{term}, true, 0},
		{"Ctrl-C twice", []os.Signal{ctrl, ctrl}, true, 2},
		{"asked to end twice", []os.Signal{term, term}, true, 2},
		{"Ctrl-C, then asked to end", []os.Signal{ctrl, term}, true, 2},
		{"a closed terminal", []os.Signal{hup, hup}, true, 0},
		{"a closed terminal, many times", []os.Signal{hup, hup, hup, hup, hup}, true, 0},
		{"Ctrl-C, then a closed terminal", []os.Signal{ctrl, hup, hup}, true, 0},
		{"a closed terminal, then the end of the session", []os.Signal{hup, hup, term}, true, 0},
		{"a closed terminal, then asked twice", []os.Signal{hup, hup, term, term}, true, 4},
		{"asked, a closed terminal, asked", []os.Signal{term, hup, hup, term}, true, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			signals := make(chan os.Signal)
			stopped, left, done := 0, []int(nil), make(chan struct{})
			n := 0
			go func() {
				defer close(done)
				heed(signals, func() { n++; stopped++ }, func() { left = append(left, n) })
			}()
			for _, s := range c.sent {
				signals <- s
			}
			close(signals)
			<-done
			if stops := stopped > 0; stops != c.stops {
				t.Errorf("it was told to stop %d times", stopped)
			}
			want := []int(nil)
			if c.leaves > 0 {
				want = []int{c.leaves}
			}
			if !slices.Equal(left, want) {
				t.Errorf("it left after %v, want %v", left, want)
			}
		})
	}
}
