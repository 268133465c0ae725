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
	"syscall"
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
	// Kubectl is the same binary under the name kubectl, in a folder of its own
	// that can be put on PATH.
	Kubectl string
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
	bin := Binaries{Program: filepath.Join(dir, programName), Kubectl: filepath.Join(dir, "bin", "kubectl")}
	if bin.there() {
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
	if bin.there() { // built by whoever held the lock
		return bin, nil
	}
	if err := linkKubectl(bin); err != nil {
		return Binaries{}, err
	}
	if err := compile(ctx, src, bin.Program, out); err != nil {
		return Binaries{}, err
	}
	return bin, nil
}

// there says whether all has been built.
func (b Binaries) there() bool { return executable(b.Program) && executable(b.Kubectl) }

// linkKubectl makes the name kubectl for a program that need not exist yet.
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

// buildKey is a hash of all that decides what is built: the sources, the
// version and target of the go command, and the link flags.
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
	flags, err := linkFlags(src)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s%s\n", version, flags)
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

// compile builds the program in src and puts it at target in one step. It is the
// only build for that target (see lockFile), so what another one has left beside
// it is from a build that was killed.
func compile(ctx context.Context, src, target string, out io.Writer) error {
	p := newProgress(out)
	defer p.stop()
	const left = "building-*"
	stale, err := filepath.Glob(filepath.Join(filepath.Dir(target), left))
	if err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	for _, dir := range stale {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("cache folder: %w", err)
		}
	}
	work, err := os.MkdirTemp(filepath.Dir(target), left)
	if err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	defer os.RemoveAll(work)
	flags, err := linkFlags(src)
	if err != nil {
		return err
	}
	b := builder{src: src, work: work, progress: p}
	p.setTotal(b.countPackages(ctx))
	built := filepath.Join(work, programName)
	cmd := b.command(ctx, "build", "-v", "-buildvcs=false", "-ldflags="+flags, "-o", built, ".")
	if err := runTied(cmd); err != nil {
		return fmt.Errorf("build the control plane in %s: %w\n%s", src, errors.Join(err, context.Cause(ctx)), p.tail())
	}
	if err := os.Rename(built, target); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	p.done()
	return nil
}

// linkFlags make the program a third smaller (-s -w) and tell it its version,
// which a build of a module does not know by itself. The compiled packages in
// the Go build cache are the same with and without them.
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

// builder runs go commands for one build.
type builder struct {
	src, work string
	progress  *progress
}

// countPackages returns how many packages the program consists of, 0 if the go
// command cannot say (the build will then fail with a better message). It also
// downloads the modules.
func (b builder) countPackages(ctx context.Context) int {
	cmd := b.command(ctx, "list", "-deps", ".")
	list := &strings.Builder{}
	cmd.Stdout = list
	if err := runTied(cmd); err != nil {
		return 0
	}
	return strings.Count(list.String(), "\n")
}

// command prepares a go command in the control plane's own module, untouched by
// any workspace around it. The end of ctx ends it with the compilers that it
// has started, and so does, but for those, the end of this process; its
// temporary files are in the work folder, because it leaves them behind then.
func (b builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.src
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTMPDIR="+b.work)
	cmd.Stderr = b.progress
	cmd.SysProcAttr = tiedTo(syscall.SIGKILL)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its process group
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
