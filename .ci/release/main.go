// SPDX-License-Identifier: Apache-2.0

// Command release builds the archives of a release into dist/, writes a list of
// what each was built from (SBOM), their checksums, and, when asked, the krew
// manifest that names them. The same sources, version and Go give the same bytes.
//
//	go run ./.ci/release -version v0.1.0 [-manifest krew-manifest.yaml] [PLATFORM...]
//	go run ./.ci/release -version v0.1.0 -notes
//
// A platform is os/arch, or host. Without any, all are built. With -notes nothing
// is built: the version's section of CHANGELOG.md is printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	binary     = "kubectl-safe_roll"
	repository = "https://github.com/safe-roll/kubectl-safe-roll"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// platform is one target.
type platform struct{ os, arch string }

func (p platform) program() string {
	if p.os == "windows" {
		return binary + ".exe"
	}
	return binary
}

func platforms() []platform {
	return []platform{
		{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("release", flag.ContinueOnError)
	version := f.String("version", "", "the release's version, such as v0.1.0")
	manifest := f.String("manifest", "", "write the krew manifest to this file too")
	dir := f.String("dist", "dist", "where the archives go")
	notes := f.Bool("notes", false, "print what is new in the version, and build nothing")
	if err := f.Parse(args); err != nil {
		return err
	}
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(*version) {
		return fmt.Errorf("-version %q is no semantic version with a v", *version)
	}
	if *notes {
		return printNotes(*version)
	}
	if w := otherGo("go.mod"); w != "" {
		fmt.Fprintln(os.Stderr, "release:", w)
	}
	targets, err := chosen(f.Args())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	var made []archive
	for _, p := range targets {
		a, err := build(ctx, p, *version, *dir)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", p.os, p.arch, err)
		}
		fmt.Println(a.sum, a.path)
		made = append(made, a)
	}
	if err := checksums(filepath.Join(*dir, "checksums.txt"), made); err != nil {
		return err
	}
	if *manifest == "" {
		return nil
	}
	return writeManifest(*manifest, *version, made)
}

func chosen(names []string) ([]platform, error) {
	if len(names) == 0 {
		return platforms(), nil
	}
	var out []platform
	for _, n := range names {
		if n == "host" {
			n = runtime.GOOS + "/" + runtime.GOARCH
		}
		os, arch, ok := strings.Cut(n, "/")
		if !ok {
			return nil, fmt.Errorf("platform %q is not os/arch", n)
		}
		out = append(out, platform{os, arch})
	}
	return out, nil
}

// build cross-compiles for one platform and packs the archive.
func build(ctx context.Context, p platform, version, dir string) (archive, error) {
	tmp, err := os.MkdirTemp("", "safe-roll-release-")
	if err != nil {
		return archive{}, err
	}
	defer os.RemoveAll(tmp)
	program := filepath.Join(tmp, p.program())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+version, "-o", program, "./cmd/"+binary)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return archive{}, err
	}
	base := filepath.Join(dir, fmt.Sprintf("%s_%s_%s_%s", binary, version, p.os, p.arch))
	if err := writeSBOM(program, version, base+".cdx.json"); err != nil {
		return archive{}, fmt.Errorf("the list of modules: %w", err)
	}
	return pack(p, base+".tar.gz", program)
}
