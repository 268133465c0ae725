// SPDX-License-Identifier: Apache-2.0

package krew_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

// user is somebody with a home of their own, kubectl and krew.
type user struct {
	t    *testing.T
	root string // of the repository
	home string
	krew string
}

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{t: t, home: t.TempDir()}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	u.root = filepath.Dir(filepath.Dir(wd))
	tools := filepath.Join(u.home, "tools")
	u.in(u.root, "go", "build", "-modfile=.tools/krew.mod", "-o", tools+"/",
		"sigs.k8s.io/krew/cmd/krew", "sigs.k8s.io/krew/cmd/validate-krew-manifest")
	u.krew = filepath.Join(tools, "krew")
	bin, err := bench.Build(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin.Program, filepath.Join(tools, "kubectl")); err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *user) env() []string {
	path := []string{filepath.Join(u.home, ".krew", "bin"), filepath.Join(u.home, "tools"), os.Getenv("PATH")}
	return append(os.Environ(), "HOME="+u.home, "KREW_ROOT="+filepath.Join(u.home, ".krew"), "KREW_NO_UPGRADE_CHECK=1",
		"PATH="+strings.Join(path, string(os.PathListSeparator)), "KUBECONFIG="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_CONFIG_GLOBAL="+os.DevNull)
}

// try runs a program as the user and returns what it said.
func (u *user) try(dir string, args ...string) (string, error) {
	u.t.Helper()
	cmd := exec.CommandContext(u.t.Context(), args[0], args[1:]...)
	if strings.HasPrefix(args[0], "kubectl") {
		cmd = exec.CommandContext(u.t.Context(), filepath.Join(u.home, "tools", "kubectl"), args[1:]...)
	}
	cmd.Dir, cmd.Env = dir, u.env()
	if args[0] == "go" { // the toolchain keeps the machine's own caches
		cmd.Env = os.Environ()
	}
	out, err := cmd.CombinedOutput()
	u.t.Logf("$ %s\n%s", strings.Join(args, " "), out)
	return string(out), err
}

func (u *user) in(dir string, args ...string) string {
	u.t.Helper()
	out, err := u.try(dir, args...)
	if err != nil {
		u.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// release builds a version for this machine, and returns its folder.
func (u *user) release(version string) string {
	u.t.Helper()
	dist := filepath.Join(u.home, "dist-"+version)
	u.in(u.root, "go", "run", "./.ci/release", "-version", version, "-dist", dist,
		"-manifest", filepath.Join(dist, "safe-roll.yaml"), "host")
	return dist
}

func archive(dist, version string) string {
	return filepath.Join(dist, "kubectl-safe_roll_"+version+"_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz")
}

// TestKrew_InstallsRunsUpgradesAndUninstalls does what the README says, first
// from the files of a release, then from an index that gets a newer one.
func TestKrew_InstallsRunsUpgradesAndUninstalls(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	first, second := "v0.1.0", "v0.1.1"
	dist := map[string]string{first: u.release(first), second: u.release(second)}
	// The validator reads the plugin's name off the file's.
	u.in(u.home, filepath.Join(u.home, "tools", "validate-krew-manifest"), "-manifest="+filepath.Join(dist[first], "safe-roll.yaml"), "-skip-install")

	index := u.index(t.Context(), dist)
	index(first)
	u.in(u.home, u.krew, "index", "add", "local", filepath.Join(u.home, "index"))

	u.in(u.home, u.krew, "install", "--manifest="+filepath.Join(dist[first], "safe-roll.yaml"), "--archive="+archive(dist[first], first))
	u.runs(first)
	u.in(u.home, u.krew, "uninstall", "safe-roll")

	u.in(u.home, u.krew, "install", "local/safe-roll")
	u.runs(first)
	u.in(u.home, "kubectl", "safe-roll", "completion", "install")
	u.completes()
	index(second)
	u.in(u.home, u.krew, "update")
	u.in(u.home, u.krew, "upgrade", "safe-roll")
	u.runs(second)
	u.completes()
	u.in(u.home, u.krew, "uninstall", "safe-roll")
	if out, err := u.try(u.home, "kubectl", "safe-roll", "version"); err == nil {
		t.Errorf("it is still there: %s", out)
	}
}

// completes asks kubectl what it would offer after Tab.
func (u *user) completes() {
	u.t.Helper()
	if out := u.in(u.home, "kubectl", "__complete", "safe-roll", "ver"); !strings.Contains(out, "verify") {
		u.t.Errorf("kubectl does not complete it:\n%s", out)
	}
	if out := u.in(u.home, "kubectl", "__complete", "safe-roll", "run", "--for", ""); !strings.Contains(out, "reboot") {
		u.t.Errorf("kubectl does not complete the values of its flags:\n%s", out)
	}
}

// runs asks the plugin through kubectl for its version and its help.
func (u *user) runs(version string) {
	u.t.Helper()
	if out := u.in(u.home, "kubectl", "safe-roll", "version"); !strings.Contains(out, "safe-roll "+version+" ") {
		u.t.Errorf("want version %s: %s", version, out)
	}
	if out := u.in(u.home, "kubectl", "safe-roll"); !strings.Contains(out, "kubectl safe-roll verify") {
		u.t.Errorf("it does not say how to call it:\n%s", out)
	}
	licence := filepath.Join(u.home, ".krew", "store", "safe-roll", version, "LICENSE")
	if _, err := os.Stat(licence); err != nil {
		u.t.Error(err)
	}
}

// index makes an index of plugins, and returns what publishes a version there.
// The archives are served on loopback, since krew fetches them from a web
// server.
func (u *user) index(ctx context.Context, dist map[string]string) func(version string) {
	u.t.Helper()
	mux := http.NewServeMux()
	for v, dir := range dist {
		mux.Handle("/"+v+"/", http.StripPrefix("/"+v+"/", http.FileServer(http.Dir(dir))))
	}
	web := httptest.NewServer(mux)
	context.AfterFunc(ctx, web.Close)
	dir := filepath.Join(u.home, "index")
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		u.t.Fatal(err)
	}
	u.in(dir, "git", "init", "-q", "-b", "master")
	return func(version string) {
		text, err := os.ReadFile(filepath.Join(dist[version], "safe-roll.yaml"))
		if err != nil {
			u.t.Fatal(err)
		}
		here := strings.ReplaceAll(string(text), "https://github.com/safe-roll/kubectl-safe-roll/releases/download", web.URL)
		if err := os.WriteFile(filepath.Join(dir, "plugins", "safe-roll.yaml"), []byte(here), 0o644); err != nil {
			u.t.Fatal(err)
		}
		u.in(dir, "git", "add", "-A")
		u.in(dir, "git", "commit", "-q", "-m", version)
	}
}

// TestManifest_IsValid validates the manifest at the root, whose name the
// validator would take for the plugin's.
func TestManifest_IsValid(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	text, err := os.ReadFile(filepath.Join(u.root, "krew-manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "safe-roll.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	u.in(u.home, filepath.Join(u.home, "tools", "validate-krew-manifest"), "-manifest="+path, "-skip-install")
	for _, p := range []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"} {
		os, arch, _ := strings.Cut(p, "/")
		if !strings.Contains(string(text), "os: "+os+"\n        arch: "+arch+"\n") {
			t.Errorf("no %s in krew-manifest.yaml; make krew-manifest writes it", p)
		}
	}
}
