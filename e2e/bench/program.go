// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// buildLimit bounds one build, waiting for another process's build included. A
// cold one takes eleven CPU minutes; a busy machine may need several times that.
const buildLimit = 90 * time.Minute

// Program is something large that is built once from its pinned modules and
// then taken from the cache.
type Program struct {
	// Name of the binary.
	Name string
	// Title names it in messages, such as "the control plane".
	Title string
	// Minutes of CPU time that a build from nothing takes, for messages.
	Minutes int
	// Source is the folder with the go.mod, see SourceDir.
	Source string
	// Package to build: "." or an import path.
	Package string
	// LinkFlags such as "-s -w"; the compiled packages in the Go build cache are
	// the same with and without them.
	LinkFlags string
}

// Build returns the path of the binary, building it first if the cache does not
// hold it for these sources and this Go version. While it builds, a line every
// few seconds goes to out: packages compiled and time elapsed. Several processes
// may call it at once: one builds, the others wait for it. Cancelling ctx
// interrupts the build; what was compiled stays in the Go build cache.
func (p Program) Build(ctx context.Context, out io.Writer) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, buildLimit, fmt.Errorf("build limit of %s passed", buildLimit))
	defer cancel()
	key, err := p.key(ctx)
	if err != nil {
		return "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, key)
	built := filepath.Join(dir, p.Name)
	if executable(built) {
		return built, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache folder: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, "lock"), out)
	if err != nil {
		return "", err
	}
	defer unlock()
	if executable(built) { // by whoever held the lock
		return built, nil
	}
	return built, p.compile(ctx, built, out)
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o100 != 0
}

// SourceDir finds a build module by its folder below e2e, such as
// "controlplane": next to this file as it was compiled, or, if the tree has
// moved since, above the working directory.
func SourceDir(folder string) (string, error) {
	var tried []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		tried = append(tried, filepath.Join(filepath.Dir(filepath.Dir(file)), folder))
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		tried = append(tried, filepath.Join(dir, folder), filepath.Join(dir, "e2e", folder))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, dir := range tried {
		if st, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && st.Mode().IsRegular() {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the folder e2e/%s with its go.mod was not found above %s", folder, wd)
}

// key is a hash of all that decides what is built: the sources, the version and
// target of the go command, and the link flags.
func (p Program) key(ctx context.Context) (string, error) {
	goEnv := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED")
	goEnv.Dir = p.Source
	version, err := goEnv.Output()
	if err != nil {
		return "", fmt.Errorf("go env (the go command is needed to build %s): %w", p.Title, err)
	}
	files, err := p.files()
	if err != nil {
		return "", fmt.Errorf("list sources: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%s\n", version, p.LinkFlags)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(p.Source, f))
		if err != nil {
			return "", fmt.Errorf("read source: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", f, len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// files are the sources, those of modules below that the go.mod puts in the place
// of others included, in a fixed order.
func (p Program) files() ([]string, error) {
	var out []string
	err := filepath.WalkDir(p.Source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(p.Source, path)
		if base := filepath.Base(name); strings.HasSuffix(base, ".go") || base == "go.mod" || base == "go.sum" {
			out = append(out, name)
		}
		return err
	})
	slices.Sort(out)
	return out, err
}

// compile builds the program and puts it at target in one step. It is the only
// build for that target (see lockFile), so what another one has left beside it
// is from a build that was killed.
func (p Program) compile(ctx context.Context, target string, out io.Writer) error {
	said := newProgress(out, p)
	defer said.stop()
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
	b := builder{program: p, work: work, progress: said}
	said.setTotal(b.countPackages(ctx))
	built := filepath.Join(work, p.Name)
	cmd := b.command(ctx, "build", "-v", "-buildvcs=false", "-ldflags="+p.LinkFlags, "-o", built, p.Package)
	if err := runTied(cmd); err != nil {
		return fmt.Errorf("build %s in %s: %w\n%s", p.Title, p.Source, errors.Join(err, context.Cause(ctx)), said.tail())
	}
	if err := os.Rename(built, target); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	said.done()
	return nil
}

// builder runs go commands for one build.
type builder struct {
	program  Program
	work     string
	progress *progress
}

// countPackages returns how many packages the program consists of, 0 if the go
// command cannot say (the build will then fail with a better message). It also
// downloads the modules.
func (b builder) countPackages(ctx context.Context) int {
	cmd := b.command(ctx, "list", "-deps", b.program.Package)
	list := &strings.Builder{}
	cmd.Stdout = list
	if err := runTied(cmd); err != nil {
		return 0
	}
	return strings.Count(list.String(), "\n")
}

// command prepares a go command in the program's own module, untouched by any
// workspace around it. The end of ctx ends it with the compilers that it has
// started, and so does, but for those, the end of this process; its temporary
// files are in the work folder, because it leaves them behind then.
func (b builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.program.Source
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTMPDIR="+b.work)
	cmd.Stderr = b.progress
	cmd.SysProcAttr = tiedTo(syscall.SIGKILL)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its process group
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
