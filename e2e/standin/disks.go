// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// errNoMachine means that no machine of the name runs.
var errNoMachine = errors.New("no such machine is on")

// disks implements model.Disks with folders. Each machine has one disk, at
// every path; its folder is its file system.
type disks struct {
	size     int64                  // of disks not seen before
	sizes    map[string]int64       // by folder
	machines map[string]hollow.Node // that are on
	seen     map[string]model.Disk  // last answer by folder
}

// config is Longhorn's longhorn-disk.cfg.
type config struct {
	DiskName string `json:"diskName"`
	DiskUUID string `json:"diskUUID"`
	State    string `json:"state"`
}

// Mounted implements model.Disks. A folder that vanishes while it is looked at
// belongs to a machine that is being taken away: it is as it was.
func (d *disks) Mounted(node, _ string) (model.Disk, bool) {
	m, ok := d.machines[node]
	if !ok {
		return model.Disk{}, false
	}
	if _, err := os.Stat(m.DiskDir); err != nil {
		last, ok := d.seen[m.DiskDir]
		return last, ok
	}
	id := sha256.Sum256([]byte(m.DiskDir))
	if d.sizes[m.DiskDir] == 0 {
		d.sizes[m.DiskDir] = d.size
	}
	size := d.sizes[m.DiskDir]
	out := model.Disk{Filesystem: hex.EncodeToString(id[:8]), Maximum: size, Available: size}
	if raw, err := os.ReadFile(filepath.Join(m.DiskDir, disk.ConfigFile)); err == nil {
		var c config
		if json.Unmarshal(raw, &c) == nil {
			out.UUID = c.DiskUUID
		}
	}
	d.seen[m.DiskDir] = out
	return out, true
}

// grow makes every disk at least that large.
func (d *disks) grow(size int64) {
	for dir := range d.sizes {
		d.sizes[dir] = max(d.sizes[dir], size)
	}
}

// Changed implements model.Disks. Nobody tells what happens to folders.
func (*disks) Changed() ([]model.Place, bool) { return nil, false }

// Label implements model.Disks.
func (d *disks) Label(node, _, uuid string) error {
	m, ok := d.machines[node]
	if !ok {
		return fmt.Errorf("%s: %w", node, errNoMachine)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(m.DiskDir, disk.ConfigFile), []byte(encoded(config{DiskUUID: uuid})), 0o644),
		os.MkdirAll(filepath.Join(m.DiskDir, disk.ReplicasFolder), 0o755),
	)
}

func (d *disks) folder(at model.Place) (string, error) {
	m, ok := d.machines[at.Node]
	if !ok || at.Name == "" {
		return "", fmt.Errorf("replica %q on %s: %w", at.Name, at.Node, errNoMachine)
	}
	return filepath.Join(m.DiskDir, disk.ReplicasFolder, at.Name), nil
}

// Stat implements model.Disks.
func (d *disks) Stat(at model.Place) (model.Directory, bool) {
	dir, err := d.folder(at)
	if err != nil {
		return model.Directory{}, false
	}
	m, err := disk.ReadMeta(dir)
	if err != nil {
		return model.Directory{}, false
	}
	out := model.Directory{Size: m.Size, Revision: m.Revision, Rebuilding: m.Rebuilding}
	if info, err := os.Stat(filepath.Join(dir, disk.DataFile)); err == nil {
		out.Used = info.Size()
	}
	return out, true
}

// Create implements model.Disks.
func (d *disks) Create(at model.Place, blank model.Directory) error {
	dir, err := d.folder(at)
	if err != nil {
		return err
	}
	return disk.Create(dir, disk.Meta{Size: blank.Size, Rebuilding: blank.Rebuilding, Revision: blank.Revision})
}

// Begin implements model.Disks.
func (d *disks) Begin(at model.Place) error {
	dir, err := d.folder(at)
	if err != nil {
		return err
	}
	m, err := disk.ReadMeta(dir)
	if err != nil {
		return err
	}
	m.Rebuilding = true
	return disk.WriteMeta(dir, m)
}

// Copy implements model.Disks.
func (d *disks) Copy(from, to model.Place) error {
	src, err := d.folder(from)
	if err != nil {
		return err
	}
	dst, err := d.folder(to)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(src, disk.DataFile))
	if err != nil {
		return err
	}
	old, err := disk.ReadMeta(src)
	if err != nil {
		return err
	}
	if _, err := disk.ReadMeta(dst); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dst, disk.DataFile), data, 0o644); err != nil {
		return err
	}
	old.Rebuilding = false
	return disk.WriteMeta(dst, old)
}

// Remove implements model.Disks.
func (d *disks) Remove(at model.Place) error {
	dir, err := d.folder(at)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// write makes data the content of all the places.
func (d *disks) write(places []model.Place, data []byte) error {
	for _, at := range places {
		dir, err := d.folder(at)
		if err != nil {
			return err
		}
		m, err := disk.ReadMeta(dir)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, disk.DataFile), data, 0o644); err != nil {
			return err
		}
		if m.Revision > 0 {
			m.Revision++
			if err := disk.WriteMeta(dir, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *disks) read(at model.Place) ([]byte, error) {
	dir, err := d.folder(at)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, disk.DataFile))
}
