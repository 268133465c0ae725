// SPDX-License-Identifier: Apache-2.0

// Command mutate tells how many small faults in a package its tests notice.
//
//	go run ./.ci/mutate [-jobs 2] [-every 1] [-match REGEXP] [-all FLAGS] [-slow REGEXP] [-pass FLAGS] [-known FILE] DIR
//
// Every fault is a mutant: a condition that always or never holds, a
// comparison that is off, an operand, a case or a statement that is missing, a
// word of the verdict that is another. All of them are built into one test
// binary, each behind a number that is switched on by the environment, so that
// a run costs no build. A mutant is killed when a test fails; those that no
// test kills are printed with their place. -every N tries each N-th mutant.
//
// -known names a file of survivors that are explained: a line each, as printed,
// and why it is no fault, after " -- ". They are not counted; one that is
// killed, or is not there any more, is printed.
//
// The operators follow go-mutesting, which the module proxy does not have; of
// those that it has, gremlins 0.6.0 knows no case, statement or word, builds
// the package anew for each mutant, and takes three in ten for not covered.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// options are the flags, completed.
type options struct {
	dir, known, slow string
	// common are flags of all tests, pass further ones of the slow.
	common, pass []string
	jobs, every  int
	match        *regexp.Regexp
	limit        time.Duration
}

func run(ctx context.Context, args []string) error {
	var o options
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	f.IntVar(&o.jobs, "jobs", 2, "how many mutants are tried at once")
	f.IntVar(&o.every, "every", 1, "try each N-th mutant only")
	f.StringVar(&o.slow, "slow", "AgreesWithTheOracle|WorseFacts|WhateverTheFacts", "tests that are asked last, when the others noticed nothing")
	all := f.String("all", "-rapid.shrinktime=0s -rapid.nofailfile", "flags of all tests")
	pass := f.String("pass", "-rapid.checks=4", "further flags of the slow tests")
	f.StringVar(&o.known, "known", "", "file of survivors that are explained")
	match := f.String("match", "", "try only the mutants whose line, as printed, matches")
	f.DurationVar(&o.limit, "limit", 2*time.Minute, "a run that takes longer has hung: its mutant is killed")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 || o.jobs < 1 || o.every < 1 {
		return fmt.Errorf("usage: mutate [flags] DIR")
	}
	o.dir, o.common, o.pass = f.Arg(0), strings.Fields(*all), strings.Fields(*pass)
	var err error
	if o.match, err = regexp.Compile(*match); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	mutants, overlay, err := schemata(o.dir, work)
	if err != nil {
		return err
	}
	binary := filepath.Join(work, "mutants.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+filepath.ToSlash(o.dir))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the mutants do not build: %w\n%s", err, out)
	}
	t := trial{options: o, binary: binary}
	if err := t.rank(ctx); err != nil {
		return err
	}
	known, err := readKnown(o.known)
	if err != nil {
		return err
	}
	return report(mutants, t.all(ctx, mutants), known)
}

// readKnown reads the survivors that are explained, by their line.
func readKnown(file string) (map[string]string, error) {
	out := map[string]string{}
	if file == "" {
		return out, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		mutant, why, ok := strings.Cut(line, " -- ")
		if !ok {
			return nil, fmt.Errorf("%s: %q does not say why it is no fault", file, line)
		}
		out[mutant] = why
	}
	return out, nil
}
