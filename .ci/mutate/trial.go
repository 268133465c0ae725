// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// trial runs the test binary with one mutant at a time.
type trial struct {
	options
	binary string
	// stages are the tests, cheapest first, as flags of the binary: most
	// mutants do not outlive the first.
	stages [][]string
}

// cheap is how long a test of the first stage takes at most.
const cheap = 10 * time.Millisecond

// rank runs the tests without any mutant, and makes the stages by what each
// took: the cheap ones, the others, and those that are slow by name.
func (t *trial) rank(ctx context.Context) error {
	out, err := t.command(ctx, 0, "-test.skip="+t.slow, "-test.v").Output()
	if err != nil {
		return fmt.Errorf("the tests of %s fail without any mutant: %w\n%s", t.dir, err, out)
	}
	var dear []string
	for _, m := range regexp.MustCompile(`(?m)^--- PASS: (\w+) \((.+)\)$`).FindAllSubmatch(out, -1) {
		if took, err := time.ParseDuration(string(m[2])); err != nil || took >= cheap {
			dear = append(dear, string(m[1]))
		}
	}
	others := "^(" + strings.Join(dear, "|") + ")$"
	t.stages = [][]string{
		{"-test.skip=" + others + "|" + t.slow},
		{"-test.run=" + others},
		append([]string{"-test.run=" + t.slow}, t.pass...),
	}
	if !t.survives(ctx, 0) {
		return fmt.Errorf("the slow tests of %s fail without any mutant", t.dir)
	}
	return nil
}

// result is what became of a mutant.
type result struct {
	mutant mutant
	lives  bool
}

// all tries the mutants, a few at once, and tells what became of each as soon
// as it is known.
func (t trial) all(ctx context.Context, mutants []mutant) <-chan result {
	next, done := make(chan int), make(chan result)
	var wg sync.WaitGroup
	for range t.jobs {
		wg.Go(func() {
			for i := range next {
				lives := t.survives(ctx, i+1)
				if ctx.Err() == nil { // interrupted, nothing is known of it
					done <- result{mutants[i], lives}
				}
			}
		})
	}
	go func() {
		for i := range mutants {
			if i%t.every == 0 && t.match.MatchString(mutants[i].String()) && ctx.Err() == nil {
				next <- i
			}
		}
		close(next)
		wg.Wait()
		close(done)
	}()
	return done
}

// survives reports whether no test notices the mutant with that number; 0 is
// none.
func (t trial) survives(ctx context.Context, number int) bool {
	for _, tests := range t.stages {
		ctx, cancel := context.WithTimeout(ctx, t.limit)
		err := t.command(ctx, number, slices.Concat(tests, []string{"-test.failfast"})...).Run()
		cancel()
		if err != nil {
			return false
		}
	}
	return true
}

func (t trial) command(ctx context.Context, number int, flags ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.binary, slices.Concat(t.common, flags)...)
	cmd.Dir = t.dir
	// One thread, and little collecting: the trials share the cores among them.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400", "MUTANT="+strconv.Itoa(number))
	return cmd
}

// report prints the survivors and the score.
func report(mutants []mutant, results <-chan result, known map[string]string) error {
	killed, survived, explained, stale := 0, 0, 0, 0
	for r := range results {
		line := r.mutant.String()
		_, isKnown := known[line]
		switch {
		case r.lives && isKnown:
			explained++
		case r.lives:
			survived++
			fmt.Println("survived:", line)
		case isKnown:
			stale++
			fmt.Println("explained, but killed now:", line)
			fallthrough
		default:
			killed++
		}
	}
	for line := range known {
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.String() == line }) {
			stale++
			fmt.Println("explained, but not there any more:", line)
		}
	}
	tried := killed + survived
	if tried == 0 {
		return errors.New("no mutant was tried")
	}
	fmt.Printf("%d mutants tried, %d killed, %d survived: %.1f %% (%d more survived and are explained, %d not tried)\n",
		tried, killed, survived, 100*float64(killed)/float64(tried), explained, len(mutants)-tried-explained)
	if stale > 0 {
		return fmt.Errorf("%d explanations explain nothing", stale)
	}
	return nil
}
