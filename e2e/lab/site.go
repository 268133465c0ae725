// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// insideEnv is set for the process that is in the site.
const insideEnv = "SAFE_ROLL_LAB_SITE"

// Values of insideEnv.
const (
	inside  = "inside"
	nowhere = "none"
)

// unsettled is the exit code by which the process in a site says that it may do
// nothing there: a kernel may make a user namespace that is worth nothing.
const unsettled = 97

// errNotLinux means that this system has no namespaces.
var errNotLinux = errors.New("this is not Linux")

// Main runs the program in a site: a network and mount namespace of its own, in
// which labs can be started. It starts the program again, in the site, and
// returns its exit code; there, run is called. Where no site can be made, run is
// called outside of it, and Missing says why. Before is called first, outside:
// in the site there is no way to the network. The environment is cleared of
// nothing, and a Ctrl-C reaches both.
func Main(before, run func() int) int {
	switch os.Getenv(insideEnv) {
	case inside:
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
			return unsettled
		}
		return run()
	case nowhere:
		return run()
	}
	if code := before(); code != 0 {
		return code
	}
	code, err := enter()
	if err == nil {
		return code
	}
	fmt.Fprintf(os.Stderr, "lab: no namespaces can be made here, as root or else: %v\n", err)
	if err := os.Setenv(insideEnv, nowhere); err != nil {
		return 1
	}
	return run()
}

// Missing says in one sentence why no lab can be started in this process, nil if
// one can.
func Missing() error {
	if os.Getenv(insideEnv) == inside {
		return nil
	}
	return errors.New("the Longhorn lab needs root, or a kernel that lets anybody make user namespaces; neither is here")
}

// enter starts this program again in a site and waits for it. The error says
// that no site could be made.
func enter() (int, error) {
	// The child dies with the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:noctx // it ends with this process
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"="+inside)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = siteNamespaces()
	if cmd.SysProcAttr == nil {
		return 0, errNotLinux
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			if s != syscall.SIGINT { // that one comes from a terminal, to both
				_ = cmd.Process.Signal(s)
			}
		}
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 1, nil //nolint:nilerr // it ran; how it ended is not known
	}
	switch code := cmd.ProcessState.ExitCode(); {
	case code == unsettled:
		return 0, errors.New("the namespaces can be made, but not used")
	case code >= 0:
		return code, nil
	}
	return 1, nil
}
