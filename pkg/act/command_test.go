// SPDX-License-Identifier: Apache-2.0

//go:build linux

package act_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// commandWorld has the script as replace command.
func commandWorld(t *testing.T, script string, change ...func(*act.Config)) (*world, decide.Action) {
	t.Helper()
	set := func(c *act.Config) { c.Commands.Replace = script }
	w := newWorld(t, append([]func(*act.Config){set}, change...)...)
	return w, decide.Action{Verb: decide.RunCommand, Command: decide.ReplaceCommand, Node: w.node, ProviderID: "cloud://7"}
}

func TestRunCommand_TellsWhichNodeAndStreamsWhatItSays(t *testing.T) {
	w, a := commandWorld(t, `echo "$SAFE_ROLL_RUN $SAFE_ROLL_NODE $SAFE_ROLL_NODE_UID $SAFE_ROLL_PROVIDER_ID"; echo oops >&2; cat; printf end`)
	o := w.do(t, a, decide.Performed)
	contains(t, o.Detail, "the replace command for node worker-1 ended well")
	contains(t, w.out.String(), "[replace worker-1] r1 worker-1 "+string(w.node.UID)+" cloud://7\n", "[replace worker-1] oops\n", "[replace worker-1] end\n")
	if n := strings.Count(w.out.String(), "\n"); n != 3 {
		t.Errorf("%d lines: %q", n, w.out.String())
	}
}

func TestRunCommand_IsNeverRunForAMachineThatIsGone(t *testing.T) {
	for _, kind := range []decide.CommandKind{decide.ReplaceCommand, decide.RetireCommand} {
		w, a := commandWorld(t, "echo ran", func(c *act.Config) { c.Commands.Retire = "echo ran" })
		a.Command, a.Node.UID = kind, "older"
		o := w.do(t, a, decide.Conflict)
		contains(t, o.Detail, "is gone", "was not run")
		w.Remove(nodePath)
		w.do(t, a, decide.Conflict)
		w.on("GET", always(fakeapi.Fault{Lost: true}))
		w.do(t, a, decide.Refused)
		w.on("GET", always(fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden, "cannot get nodes")}))
		contains(t, w.fails(t, a), "a right is missing")
		if w.out.Len() > 0 {
			t.Errorf("%s ran: %s", kind, w.out.String())
		}
	}
}

func TestRunCommand_AMachineIsRebootedOnlyWhileItsBootIsTheOneThatShallEnd(t *testing.T) {
	w, a := commandWorld(t, "false", func(c *act.Config) { c.Commands.Reboot = `echo "down with $SAFE_ROLL_BOOT_ID"` })
	a.Command, a.Boot = decide.RebootCommand, "b1"
	o := w.do(t, a, decide.Conflict) // it reports no boot, so it may be another
	contains(t, o.Detail, "rebooted already", "was not run")
	boot := func(id string) {
		w.Edit(nodePath, func(o map[string]any) { o["status"] = map[string]any{"nodeInfo": map[string]any{"bootID": id}} })
	}
	boot("b2")
	w.do(t, a, decide.Conflict)
	if w.out.Len() > 0 {
		t.Errorf("it ran: %s", w.out.String())
	}
	boot("b1")
	w.do(t, a, decide.Performed)
	contains(t, w.out.String(), "down with b1")
	a.Boot = ""
	w.do(t, a, decide.Conflict)
}

func TestRunCommand_CreateRunsAfterTheNodeIsGone(t *testing.T) {
	w, a := commandWorld(t, "false", func(c *act.Config) { c.Commands.Create = "echo made" })
	w.Remove(nodePath)
	a.Command = decide.CreateCommand
	w.do(t, a, decide.Performed)
	contains(t, w.out.String(), "made")
}

func TestRunCommand_AFailureQuotesTheCodeAndTheLastWords(t *testing.T) {
	w, a := commandWorld(t, "for i in 1 2 3 4 5 6 7; do echo line $i; done; echo quota exceeded >&2; exit 7")
	got := w.fails(t, a)
	contains(t, got, "the replace command for node worker-1 failed", "exit status 7", "quota exceeded")
	if strings.Contains(got, "line 2") {
		t.Errorf("more than the last words: %s", got)
	}
	w, a = commandWorld(t, "exit 3")
	contains(t, w.fails(t, a), "exit status 3", "it said nothing")
	w, a = commandWorld(t, "kill -9 $$")
	contains(t, w.fails(t, a), "signal: killed")
}

func TestRunCommand_TheLimitStopsItAndItsChildren(t *testing.T) {
	w, a := commandWorld(t, "(trap '' TERM; sleep 61) & echo $!; wait", func(c *act.Config) { c.CommandLimit = 300 * time.Millisecond })
	w.actor.SetGrace(500 * time.Millisecond)
	began := time.Now()
	got := w.fails(t, a)
	contains(t, got, "the command limit of 300ms passed", "see whether the machine worker-1", "cloud://7")
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
	if pid := childOf(t, w); alive(pid) {
		t.Error("a child that ignores SIGTERM outlived the limit")
	}
}

// A machine that sleeps does not count the limit, and whoever took over does.
func TestRunCommand_TheLimitPassesWhileTheMachineSleeps(t *testing.T) {
	w, a := commandWorld(t, "echo begun; sleep 64", func(c *act.Config) { c.CommandLimit = time.Hour })
	began, slept := time.Now(), time.Now().Add(300*time.Millisecond)
	w.actor.SetWall(func() time.Time {
		if now := time.Now(); now.Before(slept) {
			return now
		}
		return time.Now().Add(time.Hour)
	}, 20*time.Millisecond)
	contains(t, w.fails(t, a), "the command limit of 1h0m0s passed while the machine slept", "see whether the machine worker-1")
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

// Reading the node, and writing the intent, is a part of the time that others wait.
func TestRunCommand_TheLimitOfTheDeedIsACommandsToo(t *testing.T) {
	w, a := commandWorld(t, "sleep 65", func(c *act.Config) { c.CommandLimit = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if o, err := w.actor.Perform(ctx, nil, a); err == nil {
		t.Errorf("it ended with %+v", o)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

// childOf returns the process that the command printed.
func childOf(t *testing.T, w *world) int {
	t.Helper()
	f := strings.Fields(w.out.String())
	pid, err := strconv.Atoi(f[len(f)-1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// alive reports whether the process still runs, giving the kernel a moment.
func alive(pid int) bool {
	for range 100 {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(b), ") Z ") {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

func TestRunCommand_AnInterruptionDoesNotStopIt(t *testing.T) {
	w, a := commandWorld(t, "sleep 0.5; echo finished")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	o, err := w.actor.Perform(ctx, nil, a)
	if err != nil || o.Result != decide.Performed {
		t.Errorf("got %v %v", o, err)
	}
	contains(t, w.out.String(), "finished")
}

// Ctrl-C on a terminal goes to the foreground group.
func TestRunCommand_HasAProcessGroupOfItsOwn(t *testing.T) {
	w, a := commandWorld(t, "sleep 62 & echo $!")
	w.actor.SetGrace(0)
	w.do(t, a, decide.Performed)
	pid := childOf(t, w)
	group, err := syscall.Getpgid(pid)
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("group %d, %v; ours is %d", group, err, syscall.Getpgrp())
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestRunCommand_WhatItLeavesInTheBackgroundDoesNotHoldTheRoll(t *testing.T) {
	w, a := commandWorld(t, "sleep 63 & echo $!")
	w.actor.SetGrace(0)
	began := time.Now()
	w.do(t, a, decide.Performed)
	if d := time.Since(began); d > 15*time.Second {
		t.Errorf("it took %s", d)
	}
	if err := syscall.Kill(childOf(t, w), syscall.SIGKILL); err != nil {
		t.Errorf("it was stopped: %v", err)
	}
}

func TestRunCommand_WithoutACommandIsAnError(t *testing.T) {
	w := newWorld(t)
	contains(t, w.fails(t, decide.Action{Verb: decide.RunCommand, Command: decide.RetireCommand, Node: w.node}), "no retire command")
}
