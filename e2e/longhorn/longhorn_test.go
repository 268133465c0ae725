// SPDX-License-Identifier: Apache-2.0

package longhorn_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
)

func TestBuild_AVersionThatIsNotPinnedIsNamed(t *testing.T) {
	_, err := longhorn.Build(t.Context(), "v0.0.9", io.Discard)
	if err == nil || !strings.Contains(err.Error(), "v0.0.9 is not pinned") {
		t.Errorf("%v", err)
	}
}

func TestDefinitions_ComeFromTheManagersModule(t *testing.T) {
	file, err := longhorn.Definitions(t.Context(), longhorn.DefaultVersion)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), "name: volumeattachments.longhorn.io") {
		t.Errorf("%s does not define volumeattachments.longhorn.io", file)
	}
}
