// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
)

// TestBadInput_OneSentenceAndTheRightExitCode asks for what cannot be, of a
// cluster without Longhorn.
func TestBadInput_OneSentenceAndTheRightExitCode(t *testing.T) {
	w, err := world.Start(t.Context(), world.Options{Out: os.Stderr, Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		args string
		exit int
		says string
	}{
		{"frobnicate", 2, "frobnicate"},
		{"verify --frobnicate", 2, "frobnicate"},
		{"drain", 2, "one node"},
		{"verify --server=https://127.0.0.1:1", 1, "127.0.0.1:1"},
		{"verify -f " + file("broken.yaml", "kind: [\n"), 1, "broken.yaml"},
		{"verify -f " + file("random", "\x00\xff\x13\x37\x80random"), 1, "random"},
		{"verify -f /does/not/exist.yaml", 1, "/does/not/exist.yaml"},
		{"verify -f " + file("empty.yaml", ""), 4, "input/"},
		{"verify -f " + file("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"), 4, "input/"},
		{"verify", 4, "longhorn.io"},
		{"verify no-such-node", 1, "no-such-node"},
		{"drain no-such-node", 1, "no-such-node"},
		{"run no-such-node --yes --delete-node", 1, "no-such-node"},
		{"verify -l no=such", 4, "no=such"},
		{"run -l no=such --yes --delete-node", 2, "no=such"},
		{"run --yes", 2, ""},
		{"run node", 2, "--yes"},
		{"drain node --force", 2, "--accept-risk"},
		{"explain no/such-code", 1, "no/such-code"},
	} {
		t.Run(c.args, func(t *testing.T) {
			said := worldtest.Kubectl(t, w, c.exit, append([]string{"safe-roll"}, strings.Fields(c.args)...)...)
			if !strings.Contains(said.All(), c.says) {
				t.Errorf("%q is not in\n%s", c.says, said.All())
			}
			for _, bad := range []string{"panic", "goroutine", "runtime error"} {
				if strings.Contains(said.All(), bad) {
					t.Errorf("it says %q:\n%s", bad, said.All())
				}
			}
			t.Logf("exit %d: %s", said.Exit, said.All())
		})
	}
}
