// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// RecordEnv names the environment variable with the folder into which worlds
// put what they were like, step by step; see World.Record.
const RecordEnv = "LAB_RECORD"

// kind is one that is recorded.
type kind struct{ resource, apiVersion, name string }

// kinds are all that the tool reads.
func kinds() []kind {
	const longhorn, group = "longhorn.io/v1beta2", ".longhorn.io"
	return []kind{
		{"nodes", "v1", "Node"},
		{"leases.coordination.k8s.io", "coordination.k8s.io/v1", "Lease"},
		{"volumeattachments.storage.k8s.io", "storage.k8s.io/v1", "VolumeAttachment"},
		{"poddisruptionbudgets", "policy/v1", "PodDisruptionBudget"},
		{"volumes" + group, longhorn, "Volume"},
		{"engines" + group, longhorn, "Engine"},
		{"replicas" + group, longhorn, "Replica"},
		{"nodes" + group, longhorn, "Node"},
		{"instancemanagers" + group, longhorn, "InstanceManager"},
		{"engineimages" + group, longhorn, "EngineImage"},
		{"settings" + group, longhorn, "Setting"},
		{"volumeattachments" + group, longhorn, "VolumeAttachment"},
		{"backingimages" + group, longhorn, "BackingImage"},
		{"sharemanagers" + group, longhorn, "ShareManager"},
		{"orphans" + group, longhorn, "Orphan"},
		{"persistentvolumes", "v1", "PersistentVolume"},
		{"pods", "v1", "Pod"},
	}
}

// list is what kubectl knows of a kind, as one line of JSON.
func (w *World) list(ctx context.Context, k kind) ([]byte, error) {
	said, err := w.Kubectl(ctx, "get", k.resource, "-A", "-o", "json")
	if err != nil {
		return nil, err
	}
	if said.Exit != 0 {
		return nil, fmt.Errorf("get %s: %s", k.resource, said.Err)
	}
	var got struct {
		Items json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal([]byte(said.Out), &got); err != nil {
		return nil, fmt.Errorf("get %s: %w", k.resource, err)
	}
	return json.Marshal(map[string]any{"apiVersion": k.apiVersion, "kind": k.name + "List", "items": got.Items})
}

// Record appends the cluster's objects and the truth, as the step of that name,
// to the recording NAME.txtar.gz in $LAB_RECORD. Such a file belongs as it is
// among the recordings that the verdict is held against (pkg/cli/testdata). A
// world's first step begins the file. Without the variable it does nothing.
func (w *World) Record(ctx context.Context, name, step string) error {
	root := os.Getenv(RecordEnv)
	if root == "" {
		return nil
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "-- %s/objects.json --\n", step)
	for _, k := range kinds() {
		line, err := w.list(ctx, k)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	t, err := w.Truth(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(&text, "-- %s/truth.txt --\n", step)
	for _, volume := range slices.Sorted(maps.Keys(t)) {
		for _, c := range t[volume] {
			fmt.Fprintf(&text, "%s %s sha256=%s\n", c.Node, c.Directory, c.Sum)
		}
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	how := os.O_APPEND
	if _, begun := w.recorded.LoadOrStore(name, true); !begun {
		how = os.O_TRUNC
	}
	f, err := os.OpenFile(filepath.Join(root, name+".txtar.gz"), os.O_CREATE|os.O_WRONLY|how, 0o644)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f) // gzip files may be put one after the other
	_, err = z.Write(text.Bytes())
	return errors.Join(err, z.Close(), f.Close())
}
