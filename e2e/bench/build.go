// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// CacheEnv names the environment variable that overrides the cache folder.
const CacheEnv = "SAFE_ROLL_BENCH_CACHE"

// buildLimit bounds one build, waiting for another process's build included. A
// cold one takes eleven CPU minutes; a busy machine may need several times that.
const buildLimit = 90 * time.Minute

const programName = "controlplane"

// Binaries says where the built control plane is.
type Binaries struct {
	// Program is the multi-call binary; argv[0] picks the part.
	Program string
}

// CacheDir is the folder that holds the built control planes, one subfolder per
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
// it for these sources and this Go version. While it builds, a line every few
// seconds goes to out: packages compiled and time elapsed. Several processes may
// call it at once: one builds, the others wait for it. Cancelling ctx interrupts
// the build; what was compiled stays in the Go build cache.
func Build(ctx context.Context, out io.Writer) (Binaries, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, buildLimit, fmt.Errorf("build limit of %s passed", buildLimit))
	defer cancel()
	src, err := sourceDir()
	if err != nil {
		return Binaries{}, err
	}
	key, err := buildKey(ctx, src)
	if err != nil {
		return Binaries{}, err
	}
	cache, err := CacheDir()
	if err != nil {
		return Binaries{}, err
	}
	dir := filepath.Join(cache, key)
	bin := Binaries{Program: filepath.Join(dir, programName)}
	if executable(bin.Program) {
		return bin, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Binaries{}, fmt.Errorf("cache folder: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, "lock"), out)
	if err != nil {
		return Binaries{}, err
	}
	defer unlock()
	if executable(bin.Program) { // built by whoever held the lock
		return bin, nil
	}
	if err := compile(ctx, src, bin.Program, out); err != nil {
		return Binaries{}, err
	}
	return bin, nil
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o100 != 0
}

// sourceDir finds ../controlplane: next to this file as it was compiled, or, if
// the tree has moved since, above the working directory.
func sourceDir() (string, error) {
	var tried []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		tried = append(tried, filepath.Join(filepath.Dir(filepath.Dir(file)), programName))
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		tried = append(tried, filepath.Join(dir, programName), filepath.Join(dir, "e2e", programName))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, dir := range tried {
		if st, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && st.Mode().IsRegular() {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the folder e2e/%s with the control plane's go.mod was not found above %s", programName, wd)
}

// buildKey is a hash of all that decides what is built: the sources, and the
// version and target of the go command.
func buildKey(ctx context.Context, src string) (string, error) {
	goEnv := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED")
	goEnv.Dir = src
	version, err := goEnv.Output()
	if err != nil {
		return "", fmt.Errorf("go env (the go command is needed to build the control plane): %w", err)
	}
	files, err := filepath.Glob(filepath.Join(src, "*.go"))
	if err != nil {
		return "", fmt.Errorf("list sources: %w", err)
	}
	files = append(files, filepath.Join(src, "go.mod"), filepath.Join(src, "go.sum"))
	slices.Sort(files)
	h := sha256.New()
	h.Write(version)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", fmt.Errorf("read source: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(f), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// compile builds the program in src and puts it at target in one step.
func compile(ctx context.Context, src, target string, out io.Writer) error {
	p := newProgress(out)
	defer p.stop()
	p.setTotal(countPackages(ctx, src, p))
	tmp, err := os.CreateTemp(filepath.Dir(target), "building-*")
	if err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	defer os.Remove(tmp.Name())
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	// -s -w drops the symbol tables at link time, a third of the file; compiled
	// packages in the Go build cache are the same with and without it.
	cmd := goCommand(ctx, src, p, "build", "-v", "-buildvcs=false", "-ldflags=-s -w", "-o", tmp.Name(), ".")
	if err := runTied(cmd); err != nil {
		return fmt.Errorf("build the control plane in %s: %w\n%s", src, errors.Join(err, context.Cause(ctx)), p.tail())
	}
	if err := os.Chmod(tmp.Name(), 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	if err := os.Rename(tmp.Name(), target); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	p.done()
	return nil
}

// countPackages returns how many packages the program consists of, 0 if the go
// command cannot say (the build will then fail with a better message). It also
// downloads the modules.
func countPackages(ctx context.Context, src string, p *progress) int {
	cmd := goCommand(ctx, src, p, "list", "-deps", ".")
	list := &strings.Builder{}
	cmd.Stdout = list
	if err := runTied(cmd); err != nil {
		return 0
	}
	return strings.Count(list.String(), "\n")
}

// goCommand prepares a go command in the control plane's own module, untouched
// by any workspace around it. It ends with ctx, or with this process.
func goCommand(ctx context.Context, src string, p *progress, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = p
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets go remove its work folder
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = tiedTo(os.Interrupt)
	return cmd
}
