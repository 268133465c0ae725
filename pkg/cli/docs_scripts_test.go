// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scripts are the programs that the how-tos tell people to write, by page and
// name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if b.lang != "sh" || len(b.lines) < 2 || b.lines[0] != "#!/usr/bin/env bash" {
				continue
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(b.lines[1], "# "), ":")
			out[filepath.Base(p.path)+" "+filepath.Base(name)] = strings.Join(b.lines, "\n") + "\n"
		}
	}
	return out
}

// standIn is every program that a script calls: it notes how it was called, one
// argument after a bar each, and answers as the case has it.
const standIn = `#!/bin/sh
{ printf '%s' "${0##*/}"; for a; do printf '|%s' "$a"; done; echo; } >>"$NOTES"
set -- "${0##*/} $*"
`

// TestDocs_ScriptsCallWhatTheyShould runs them against stand-ins of the
// programs that they call: order, quoting, and that a second run does no harm.
// What the real programs then do is not tested here.
func TestDocs_ScriptsCallWhatTheyShould(t *testing.T) {
	all := scripts(t)
	tried := map[string]bool{}
	for _, c := range []struct {
		script, name string
		// answers is shell that sees the call in $1.
		answers string
		env     []string
		exit    int
		calls   []string
	}{
		{
			script:  "bare-metal.md retire.sh",
			answers: `case "$1" in *status) if [ -e "$STATE" ]; then echo "Chassis Power is off"; else : >"$STATE"; echo "Chassis Power is on"; fi;; esac`,
			calls: []string{
				"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|power|off",
				"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|power|status", "sleep|2",
				"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|power|status",
				"kubectl|delete|node|worker-1|--ignore-not-found",
			},
		},
		{
			script: "bare-metal.md retire.sh", name: "the machine cannot be switched off",
			answers: `case "$1" in *off) exit 1;; esac`, exit: 1,
			calls: []string{"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|power|off"},
		},
		{
			script: "bare-metal.md create.sh",
			calls: []string{
				"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|bootdev|pxe",
				"ipmitool|-I|lanplus|-H|worker-1.bmc.example.net|-E|chassis|power|on",
			},
		},
		{
			script: "terraform.md retire.sh",
			calls: []string{
				`terraform|destroy|-auto-approve|-input=false|-lock-timeout=5m|-target=module.worker["worker-1"]`,
				"kubectl|delete|node|worker-1|--ignore-not-found",
			},
		},
		{
			script: "terraform.md retire.sh", name: "terraform fails", answers: `case "$1" in terraform*) exit 1;; esac`, exit: 1,
			calls: []string{`terraform|destroy|-auto-approve|-input=false|-lock-timeout=5m|-target=module.worker["worker-1"]`},
		},
		{
			script: "terraform.md create.sh",
			calls:  []string{`terraform|apply|-auto-approve|-input=false|-lock-timeout=5m|-target=module.worker["worker-1"]`},
		},
		{
			script: "cluster-api.md retire.sh", answers: `case "$1" in *jsonpath*) echo machine-7;; esac`,
			env: []string{"DEPLOYMENT=workers", "NAMESPACE=clusters", "WORKERS=3"},
			calls: []string{
				`kubectl|get|node|worker-1|-o|jsonpath={.metadata.annotations.cluster\.x-k8s\.io/machine}`,
				"kubectl|--context=management|--namespace=clusters|annotate|machine|machine-7|--overwrite|cluster.x-k8s.io/delete-machine=yes",
				"kubectl|--context=management|--namespace=clusters|scale|machinedeployment|workers|--replicas=2",
				"kubectl|--context=management|--namespace=clusters|wait|machine|machine-7|--for=delete|--timeout=30m",
				"kubectl|delete|node|worker-1|--ignore-not-found",
			},
		},
		{script: "cluster-api.md retire.sh", name: "nobody says which deployment", exit: 1},
		{
			script: "cluster-api.md create.sh", env: []string{"DEPLOYMENT=workers", "NAMESPACE=clusters", "WORKERS=3"},
			calls: []string{"kubectl|--context=management|--namespace=clusters|scale|machinedeployment|workers|--replicas=3"},
		},
		{
			script: "managed-pool.md retire.sh", env: []string{"GROUP=workers"}, answers: `case "$1" in *describe*) echo InService;; esac`,
			calls: []string{
				"aws|autoscaling|describe-auto-scaling-instances|--instance-ids|i-7|--query|AutoScalingInstances[?AutoScalingGroupName=='workers'].LifecycleState|--output|text",
				"aws|autoscaling|terminate-instance-in-auto-scaling-group|--instance-id|i-7|--should-decrement-desired-capacity",
				"aws|ec2|wait|instance-terminated|--instance-ids|i-7",
				"kubectl|delete|node|worker-1|--ignore-not-found",
			},
		},
		{
			script: "managed-pool.md retire.sh", name: "the second time", env: []string{"GROUP=workers"},
			calls: []string{
				"aws|autoscaling|describe-auto-scaling-instances|--instance-ids|i-7|--query|AutoScalingInstances[?AutoScalingGroupName=='workers'].LifecycleState|--output|text",
				"aws|ec2|wait|instance-terminated|--instance-ids|i-7",
				"kubectl|delete|node|worker-1|--ignore-not-found",
			},
		},
		{
			script: "managed-pool.md create.sh", env: []string{"GROUP=workers", "WORKERS=3"},
			calls: []string{"aws|autoscaling|set-desired-capacity|--auto-scaling-group-name|workers|--desired-capacity|3"},
		},
		{
			script: "reboot.md reboot.sh", answers: `case "$1" in *boot_id) echo boot-1;; esac`,
			calls: []string{
				"ssh|worker-1|cat|/proc/sys/kernel/random/boot_id",
				"ssh|worker-1|sudo|systemd-run|--on-active=2|systemctl|reboot",
			},
		},
		{
			script: "reboot.md reboot.sh", name: "the second time", answers: `case "$1" in *boot_id) echo boot-2;; esac`,
			calls: []string{"ssh|worker-1|cat|/proc/sys/kernel/random/boot_id"},
		},
		{
			script: "gate.md may-reboot", answers: `case "$1" in hostname*) echo worker-1;; esac`,
			calls: []string{"hostname", "kubectl|safe-roll|verify|worker-1"},
		},
		{
			script: "gate.md may-reboot", name: "refused", answers: `case "$1" in hostname*) echo worker-1;; kubectl*) exit 4;; esac`, exit: 4,
			calls: []string{"hostname", "kubectl|safe-roll|verify|worker-1"},
		},
	} {
		t.Run(strings.TrimSpace(c.script+" "+c.name), func(t *testing.T) {
			text, ok := all[c.script]
			if !ok {
				t.Fatalf("no page has it: %v", all)
			}
			tried[c.script] = true
			calls, exit := call(t, text, c.answers, c.env)
			if exit != c.exit || !slices.Equal(calls, c.calls) {
				t.Errorf("exit %d, want %d\n%s\nwant\n%s", exit, c.exit, strings.Join(calls, "\n"), strings.Join(c.calls, "\n"))
			}
		})
	}
	for name := range all {
		if !tried[name] {
			t.Errorf("%s is never tried", name)
		}
	}
}

// call runs a script once and returns what it called.
func call(t *testing.T, text, answers string, env []string) (calls []string, exit int) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"kubectl", "terraform", "ipmitool", "aws", "ssh", "sleep", "hostname"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(standIn+answers+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// What a page says of /run is looked for here.
	text = strings.ReplaceAll(text, "/run/", dir+"/")
	for name, data := range map[string]string{"script": text, "reboot-required": "", "notes": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "script"))
	cmd.Env = append([]string{
		"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "NOTES=" + filepath.Join(dir, "notes"), "STATE=" + filepath.Join(dir, "state"),
		"SAFE_ROLL_NODE=worker-1", "SAFE_ROLL_NODE_UID=u1", "SAFE_ROLL_PROVIDER_ID=aws:///eu-central-1a/i-7", "SAFE_ROLL_BOOT_ID=boot-1",
	}, env...)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%v: %s", err, out)
	}
	notes, err := os.ReadFile(filepath.Join(dir, "notes"))
	if err != nil {
		t.Fatal(err)
	}
	if s := strings.TrimSpace(string(notes)); s != "" {
		calls = strings.Split(s, "\n")
	}
	return calls, cmd.ProcessState.ExitCode()
}
