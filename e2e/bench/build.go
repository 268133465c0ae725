// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// CacheEnv names the environment variable that overrides the cache folder.
const CacheEnv = "SAFE_ROLL_BENCH_CACHE"

const programName = "controlplane"

// Binaries says where the built control plane is.
type Binaries struct {
	// Program is the multi-call binary; argv[0] picks the part.
	Program string
	// Kubectl is the same binary under the name kubectl, in a folder of its own
	// that can be put on PATH.
	Kubectl string
}

// CacheDir is the folder that holds the built programs, one subfolder per
// version of their sources: $SAFE_ROLL_BENCH_CACHE, or kubectl-safe-roll in the
// user's cache folder. It can be deleted at any time; Build makes it anew.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder (set %s): %w", CacheEnv, err)
	}
	return filepath.Join(dir, "kubectl-safe-roll"), nil
}

// Build returns the control plane, building it first if the cache does not hold
// it for these sources and this Go version; see Program.Build.
func Build(ctx context.Context, out io.Writer) (Binaries, error) {
	src, err := SourceDir(programName)
	if err != nil {
		return Binaries{}, err
	}
	flags, err := linkFlags(src)
	if err != nil {
		return Binaries{}, err
	}
	p := Program{Name: programName, Title: "the control plane", Minutes: 11, Source: src, Package: ".", LinkFlags: flags}
	built, err := p.Build(ctx, out)
	if err != nil {
		return Binaries{}, err
	}
	bin := Binaries{Program: built, Kubectl: filepath.Join(filepath.Dir(built), "bin", "kubectl")}
	return bin, linkKubectl(bin)
}

// linkKubectl makes the name kubectl for the program.
func linkKubectl(b Binaries) error {
	if err := os.MkdirAll(filepath.Dir(b.Kubectl), 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	err := os.Symlink(filepath.Join("..", programName), b.Kubectl)
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cache folder: %w", err)
	}
	return nil
}

// linkFlags tell the program its version, which a build of a module does not
// know by itself.
func linkFlags(src string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("read source: %w", err)
	}
	for line := range strings.Lines(string(mod)) {
		var major, minor, patch int
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "k8s.io/kubernetes v%d.%d.%d", &major, &minor, &patch); n == 3 {
			const pkg = "k8s.io/component-base/version"
			return fmt.Sprintf("-s -w -X %[1]s.gitVersion=v%[2]d.%[3]d.%[4]d -X %[1]s.gitMajor=%[2]d -X %[1]s.gitMinor=%[3]d", pkg, major, minor, patch), nil
		}
	}
	return "", fmt.Errorf("%s/go.mod does not require k8s.io/kubernetes", src)
}
