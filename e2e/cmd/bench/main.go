// SPDX-License-Identifier: Apache-2.0

// Command bench measures what it costs to ask a large cluster whether every
// volume is whole: with safe-roll, and in the ways that are used today.
//
//	bench [-volumes 1000,10000] [-rounds 3] [-wait] [-o FILE]
//	bench roll [-nodes 10] [-volumes 2000] [-o FILE]
//
// It builds and starts a real API server, fills it, and asks in turn. "bench roll"
// replaces all nodes of a cluster, and measures what the tool adds to that. "bench
// floor" and "bench typed" are two of those ways, run as processes of their own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/safe-roll/kubectl-safe-roll/e2e/scale"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		switch args[0] {
		case "floor":
			return ask(func(cfg *rest.Config) error { return scale.Floor(ctx, cfg) })
		case "measure":
			return measure(ctx)
		case "react":
			return react(ctx)
		case "typed":
			return ask(func(cfg *rest.Config) error {
				bad, err := scale.Typed(ctx, cfg)
				return errors.Join(err, json.NewEncoder(os.Stdout).Encode(bad))
			})
		}
	}
	if len(args) == 2 && args[0] == "replay" {
		return replay(ctx, args[1])
	}
	if len(args) > 0 && args[0] == "roll" {
		return roll(ctx, args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("volumes", "1000,10000", "how many volumes, for each cluster")
	rounds := flags.Int("rounds", 3, "how often each way is measured; the median counts")
	under := flags.String("under", "", "a command under which the asking is done; filling the clusters is not")
	skip := flags.String("skip", "", "ways that are left out, by number from 0")
	wait := flags.Bool("wait", false, "measure too how a program that waits learns of changes")
	file := flags.String("o", "", "where the table goes; standard output if empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var volumes []int
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 100 {
			return fmt.Errorf("-volumes %s: %q is no number of at least 100", *sizes, size)
		}
		volumes = append(volumes, n)
	}
	c := scale.Comparison{Volumes: volumes, Rounds: *rounds, Under: strings.Fields(*under), Wait: *wait, Log: os.Stderr}
	for _, word := range strings.FieldsFunc(*skip, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("-skip %s: %w", *skip, err)
		}
		c.Skip = append(c.Skip, n)
	}
	table, err := c.Run(ctx)
	if err != nil {
		return err
	}
	return write(*file, table)
}

// write writes a table into a file, or to standard output where there is none.
func write(file, table string) error {
	if file == "" {
		_, err := os.Stdout.WriteString(table)
		return err
	}
	return os.WriteFile(file, []byte(table), 0o644)
}

// ask connects to the cluster of $KUBECONFIG, without a limit on requests.
func ask(do func(*rest.Config) error) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	cfg.QPS = -1
	return do(cfg)
}

// measure reads trials, measures them, and writes what they have cost.
func measure(ctx context.Context) error {
	var trials []scale.Trial
	if err := json.NewDecoder(os.Stdin).Decode(&trials); err != nil {
		return err
	}
	var out []scale.Result
	for _, t := range trials {
		r, err := t.Measure(ctx, os.Stderr)
		if err != nil {
			return err
		}
		out = append(out, r)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// react reads a trial, and writes how a program that waits learns of changes.
func react(ctx context.Context) error {
	var trials []scale.Trial
	if err := json.NewDecoder(os.Stdin).Decode(&trials); err != nil {
		return err
	}
	var out []scale.Reaction
	for _, t := range trials {
		cfg, err := clientcmd.BuildConfigFromFlags("", t.Kubeconfig)
		if err != nil {
			return err
		}
		r, err := t.React(ctx, cfg, 100*time.Second, 60)
		if err != nil {
			return err
		}
		out = append(out, r)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// replay serves the lists of a cluster of that many volumes until it is ended.
func replay(ctx context.Context, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	r, err := scale.NewReplay(scale.ShapeFor(n))
	if err != nil {
		return err
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", at.Addr())
	server := &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(at); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
