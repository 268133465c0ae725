// SPDX-License-Identifier: Apache-2.0

// Command machine is what an operator of the bench gives to safe-roll as its
// retire, create, replace or reboot command: it asks the bench to end a machine,
// make one, or both, or to have one go down and come back. It reads the node from
// the environment that safe-roll sets.
//
// Usage: machine replace|retire|create|reboot [SUFFIX]. With a suffix the new machine
// is named like the old one with the suffix added.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "machine:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return fmt.Errorf("usage: machine replace|retire|create|reboot [SUFFIX]")
	}
	form := url.Values{"node": {os.Getenv("SAFE_ROLL_NODE")}, "uid": {os.Getenv("SAFE_ROLL_NODE_UID")}, "boot": {os.Getenv("SAFE_ROLL_BOOT_ID")}}
	if len(args) == 2 {
		form.Set("suffix", args[1])
	}
	client := &http.Client{Timeout: 3 * time.Minute}
	res, err := client.PostForm(os.Getenv("SAFE_ROLL_BENCH_CONTROL")+"/"+args[0], form)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", args[0], form.Get("node"), strings.TrimSpace(string(body)))
	}
	fmt.Println(args[0], form.Get("node"), "done")
	return nil
}
