// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

const module = "github.com/longhorn/longhorn-manager"

// DefaultVersion is the version that the lab runs if nothing else is asked for.
const DefaultVersion = "v1.8.1"

// VersionEnv names the environment variable that asks for another one.
const VersionEnv = "SAFE_ROLL_LONGHORN"

// Version is the one that was asked for.
func Version() string { return cmp.Or(os.Getenv(VersionEnv), DefaultVersion) }

// Build returns the path of the manager's binary of a version such as "v1.8.1",
// built like the control plane: once, with progress told to out.
func Build(ctx context.Context, version string, out io.Writer) (string, error) {
	src, err := source(version)
	if err != nil {
		return "", err
	}
	return bench.Program{
		Name: "longhorn-manager", Title: "Longhorn manager " + version, Minutes: 8, Source: src, Package: module,
		// The version as Longhorn's own build sets it: the manager compares it
		// with the version of the objects that it finds.
		LinkFlags: "-s -w -X " + module + "/meta.Version=" + version,
	}.Build(ctx, out)
}

// Definitions returns the file of Longhorn's resource definitions of a version,
// which its module brings; it works without a network after Build.
func Definitions(ctx context.Context, version string) (string, error) {
	src, err := source(version)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir, cmd.Env = src, append(os.Environ(), "GOWORK=off")
	dir, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find the module of Longhorn manager %s: %w", version, err)
	}
	return filepath.Join(string(dir[:max(len(dir)-1, 0)]), "k8s", "crds.yaml"), nil
}

// source is the folder that pins the version.
func source(version string) (string, error) {
	src, err := bench.SourceDir(filepath.Join("longhorn", version))
	if err != nil {
		return "", fmt.Errorf("longhorn manager %s is not pinned: %w", version, err)
	}
	return src, nil
}
