// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Input says which files are to be read.
type Input struct {
	// Paths are files, directories, and "-" for Stdin.
	Paths []string
	// Recursive: directories below a directory are read too.
	Recursive bool
	Storages  []plugin.Storage
	// Stdin is read for "-"; nil where there is none.
	Stdin io.Reader
}

// Files reads YAML and JSON as kubectl writes it (one or many documents,
// single objects and lists of either spelling) into a snapshot that says
// nothing of the present.
//
// A kind counts as read when the input has a list of it that is not cut off,
// an empty one too, or objects of it one by one; a plain List counts for the
// kinds of its items. Every other kind is a Gap. Objects of other kinds are
// passed over. A file that is absent, or that holds anything but objects, is
// an error that names the file and the document.
func Files(in Input) (*cluster.Snapshot, error) {
	if len(in.Paths) == 0 {
		return nil, errors.New("no file was named")
	}
	c := newCollector(in.Storages)
	for _, p := range in.Paths {
		if err := in.read(c, p); err != nil {
			return nil, err
		}
	}
	return c.snapshot(), nil
}

// read reads one path, which may be a directory.
func (in Input) read(c *collector, p string) error {
	if p == "-" {
		if in.Stdin == nil {
			return errors.New("there is no standard input to be read")
		}
		return documents("standard input", in.Stdin, c)
	}
	info, err := os.Stat(p)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !info.IsDir() {
		return file(c, p)
	}
	found := 0
	err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("cannot be read: %w", err)
		case d.IsDir() && path != p && !in.Recursive:
			return filepath.SkipDir
		case d.IsDir() || !named(path):
			return nil
		}
		found++
		return file(c, path)
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("directory %s holds no file that ends in .yaml, .yml or .json", p)
	}
	return err
}

// named reports whether a file in a directory is to be read, by its name.
func named(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	default:
		return false
	}
}

func file(c *collector, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return documents(path, f, c)
}
