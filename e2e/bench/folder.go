// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	tempPrefix = "safe-roll-bench-"
	ownerFile  = "owner"
)

// own marks a cluster's folder as in use by this process: the file is locked for
// as long as the returned file is open, and the kernel drops the lock when the
// process dies.
func own(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cluster folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("cluster folder %s is in use: %w", dir, err)
	}
	return f, nil
}

// sweep deletes the temporary folders of clusters whose process was killed: they
// still hold the owner's file, and nobody holds its lock. What a stopped cluster
// left has no such file and stays, because its logs may be wanted. Best effort:
// whatever cannot be deleted harms nobody.
func sweep(temp string) {
	files, err := filepath.Glob(filepath.Join(temp, tempPrefix+"*", ownerFile))
	if err != nil {
		return
	}
	for _, path := range files {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		f.Close()
	}
}

// makeDir returns the absolute path of an empty folder.
func makeDir(dir string) (string, error) {
	if dir == "" {
		sweep(os.TempDir())
		tmp, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return "", fmt.Errorf("cluster folder: %w", err)
		}
		return tmp, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("cluster folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cluster folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("cluster folder: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("cluster folder %s is not empty", dir)
	}
	return dir, nil
}

// removeData deletes what the cluster itself has put into its folder, but the
// logs. Best effort: what is left is of no use and harms nobody.
func (c *Cluster) removeData() {
	for _, name := range []string{etcd, "pki"} {
		_ = os.RemoveAll(filepath.Join(c.dir, name))
	}
	files, err := filepath.Glob(filepath.Join(c.dir, "*.kubeconfig"))
	if err != nil {
		return
	}
	for _, f := range files {
		_ = os.Remove(f)
	}
}
