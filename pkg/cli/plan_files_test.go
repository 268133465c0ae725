// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlan_OfFilesGoesOnAfterTheFirstTurn: files have no time of their own, and
// the machines to come are as alive as those that are there.
func TestPlan_OfFilesGoesOnAfterTheFirstTurn(t *testing.T) {
	for _, name := range []string{"ask/three-replicas", "ask/two-replicas", "input/no-leases"} {
		c := loadCase(t, filepath.Join(corpusDir, name+".txtar"))
		file := filepath.Join(t.TempDir(), "dump.yaml")
		if err := os.WriteFile(file, c.objects.text(), 0o600); err != nil {
			t.Fatal(err)
		}
		said, code := ran("plan", "worker-1", "worker-2", "worker-3", "-f", file)
		if code != 0 || !strings.Contains(said, "3 nodes, one after the other, can be replaced") {
			t.Errorf("%s: exit %d\n%s", name, code, said)
		}
	}
}
