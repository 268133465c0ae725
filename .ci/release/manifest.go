// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const head = `# Written by 'make krew-manifest' from the archives in dist/; do not edit.
#
# The checksums are those of the archives that the tree of that version gives
# ('make dist' is reproducible). This file is the last commit of a release: when the
# version is tagged, the release workflow builds the archives and goes no further
# unless it writes this very file. Between releases the tree moves on and this
# stays. v0.1.0 is not published yet, so that its URLs lead nowhere; until then,
# from what you build: make krew-manifest, then
# kubectl krew install --manifest=krew-manifest.yaml --archive=dist/...
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: safe-roll
spec:
  version: %s
  homepage: %s
  shortDescription: Replace nodes one at a time without losing data
  description: |
    Replaces the nodes of a cluster one at a time without losing a byte.

    A detached volume is not rebuilt by its storage when a node goes. After as
    many nodes as it has replicas its data are gone, and no step ever failed.
    safe-roll believes no claim of the storage without evidence, and takes no
    step until every volume, attached or not, has its configured number of
    replicas on live nodes. It needs nothing installed in the cluster.
  platforms:
`

// writeManifest writes the krew manifest for the archives that were made.
func writeManifest(path, version string, made []archive) error {
	var b strings.Builder
	fmt.Fprintf(&b, head, version, repository)
	for _, a := range made {
		fmt.Fprintf(&b, "  - selector:\n      matchLabels:\n        os: %s\n        arch: %s\n", a.platform.os, a.platform.arch)
		fmt.Fprintf(&b, "    uri: %s/releases/download/%s/%s\n", repository, version, filepath.Base(a.path))
		fmt.Fprintf(&b, "    sha256: %s\n    bin: %s\n", a.sum, a.platform.program())
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
