// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
)

// trial runs the test binary with one mutant at a time.
type trial struct {
	options
	binary string
}

// outcome is what became of a mutant.
type outcome uint8

const (
	skipped outcome = iota
	killed
	survived
)

// all tries the mutants, a few at once.
func (t trial) all(ctx context.Context, mutants []mutant) []outcome {
	out := make([]outcome, len(mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range t.jobs {
		wg.Go(func() {
			for i := range next {
				switch lives := t.survives(ctx, i+1); {
				case ctx.Err() != nil: // interrupted: nothing is known of it
				case lives:
					out[i] = survived
				default:
					out[i] = killed
				}
			}
		})
	}
	for i := range mutants {
		if i%t.every == 0 && t.match.MatchString(mutants[i].String()) && ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	wg.Wait()
	return out
}

// survives reports whether no test notices the mutant with that number; 0 is
// none. The quick tests are asked first: most mutants do not outlive them.
func (t trial) survives(ctx context.Context, number int) bool {
	return t.passes(ctx, number, "-test.skip="+t.slow) &&
		t.passes(ctx, number, append([]string{"-test.run=" + t.slow}, t.pass...)...)
}

func (t trial) passes(ctx context.Context, number int, flags ...string) bool {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.binary, append(flags, "-test.failfast")...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(number))
	return cmd.Run() == nil
}

// report prints the survivors and the score.
func report(mutants []mutant, outcomes []outcome, known map[string]string) error {
	count := map[outcome]int{}
	explained, stale := 0, 0
	seen := map[string]bool{}
	for i, m := range mutants {
		line := m.String()
		_, isKnown := known[line]
		seen[line] = true
		switch {
		case outcomes[i] == survived && isKnown:
			explained++
			continue
		case outcomes[i] == survived:
			fmt.Println("survived:", line)
		case outcomes[i] == killed && isKnown:
			stale++
			fmt.Println("explained, but killed now:", line)
		}
		count[outcomes[i]]++
	}
	for line := range known {
		if !seen[line] {
			stale++
			fmt.Println("explained, but not there any more:", line)
		}
	}
	tried := count[killed] + count[survived]
	if tried == 0 {
		return errors.New("no mutant was tried")
	}
	fmt.Printf("%d mutants tried, %d killed, %d survived: %.1f %% (%d more survived and are explained, %d not tried)\n",
		tried, count[killed], count[survived], 100*float64(count[killed])/float64(tried), explained, count[skipped])
	if stale > 0 {
		return fmt.Errorf("%d explanations explain nothing", stale)
	}
	return nil
}
