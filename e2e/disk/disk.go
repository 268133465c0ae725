// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// Names on a Longhorn disk (longhorn-engine v1.8.0 pkg/replica).
const (
	ConfigFile     = "longhorn-disk.cfg"
	ReplicasFolder = "replicas"
	MetaFile       = "volume.meta"
	DataFile       = "volume-head-000.img"
)

// nameSuffix is the length of what a replica folder's name has after the
// volume's: a dash and eight digits.
const nameSuffix = 9

// Meta is what a replica keeps in volume.meta, as far as it matters, and the
// number of writes, which Longhorn keeps in a file beside it.
type Meta struct {
	Size       int64
	Head       string
	Rebuilding bool
	Revision   int64
}

// ReadMeta reads the description of the replica in dir; the error is
// fs.ErrNotExist where there is no replica.
func ReadMeta(dir string) (Meta, error) {
	raw, err := os.ReadFile(filepath.Join(dir, MetaFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Meta{}, fmt.Errorf("no replica: %w", err)
	}
	if err != nil {
		return Meta{}, err
	}
	var m Meta
	if err := json.Unmarshal(raw, &m); err != nil {
		return Meta{}, fmt.Errorf("%s: %w", MetaFile, err)
	}
	return m, nil
}

// WriteMeta writes the description of the replica in dir.
func WriteMeta(dir string, m Meta) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("%s: %w", MetaFile, err)
	}
	return os.WriteFile(filepath.Join(dir, MetaFile), raw, 0o644)
}

// Create makes a blank replica in dir, with no bytes in it.
func Create(dir string, m Meta) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, DataFile), nil, 0o644); err != nil {
		return err
	}
	m.Head = DataFile
	return WriteMeta(dir, m)
}

// Truth adds to t which replicas lie on the disk of a node, and what they hold.
func Truth(node, diskDir string, t scenario.Truth) error {
	root := filepath.Join(diskDir, ReplicasFolder)
	dirs, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return nil // a disk that was never used
	}
	if err != nil {
		return fmt.Errorf("disk of %s: %w", node, err)
	}
	for _, d := range dirs {
		if len(d.Name()) <= nameSuffix {
			continue
		}
		c := scenario.Copy{Node: node, Directory: d.Name()}
		m, err := ReadMeta(filepath.Join(root, d.Name()))
		if err == nil && !m.Rebuilding {
			c.Sum, err = sum(filepath.Join(root, d.Name(), DataFile))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("disk of %s: %w", node, err)
		}
		volume := d.Name()[:len(d.Name())-nameSuffix]
		t[volume] = append(t[volume], c)
	}
	return nil
}

// sum is that of what was written into the file system, empty if nothing was.
func sum(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, data, ok := bytes.Cut(raw, []byte("\n"))
	if !ok || len(data) == 0 {
		return "", nil
	}
	return scenario.Sum(data), nil
}
