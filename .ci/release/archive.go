// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archive is one packed release.
type archive struct {
	platform platform
	path     string
	sum      string // SHA-256, hex
}

// pack writes the program and the licence into a .tar.gz, which krew unpacks
// on every platform. Times, owners and order are fixed, so that the bytes
// depend on the contents alone.
func pack(p platform, path, program string) (archive, error) {
	f, err := os.Create(path)
	if err != nil {
		return archive{}, err
	}
	defer f.Close()
	zip, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return archive{}, err
	}
	t := tar.NewWriter(zip)
	for _, entry := range []struct {
		name, from string
		mode       int64
	}{{"LICENSE", "LICENSE", 0o644}, {p.program(), program, 0o755}} {
		if err := add(t, entry.name, entry.from, entry.mode); err != nil {
			return archive{}, err
		}
	}
	for _, end := range []func() error{t.Close, zip.Close, f.Close} {
		if err := end(); err != nil {
			return archive{}, err
		}
	}
	sum, err := sha(path)
	return archive{platform: p, path: path, sum: sum}, err
}

func add(t *tar.Writer, name, from string, mode int64) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	head := &tar.Header{Name: name, Mode: mode, Size: int64(len(data)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := t.WriteHeader(head); err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}

func sha(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// checksums writes what sha256sum -c reads.
func checksums(path string, made []archive) error {
	var b strings.Builder
	for _, a := range made {
		list := strings.TrimSuffix(a.path, ".tar.gz") + ".cdx.json"
		sum, err := sha(list)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n%s  %s\n", a.sum, filepath.Base(a.path), sum, filepath.Base(list))
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
