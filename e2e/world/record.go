// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// RecordEnv names the environment variable with the folder into which worlds
// put what they were like, step by step; see World.Record.
const RecordEnv = "LAB_RECORD"

// kinds are those of a dump as people take it.
const kinds = "nodes,persistentvolumes,pods,poddisruptionbudgets,leases,volumeattachments.storage.k8s.io,events," +
	"volumes.longhorn.io,replicas.longhorn.io,engines.longhorn.io,nodes.longhorn.io,settings.longhorn.io," +
	"volumeattachments.longhorn.io,instancemanagers.longhorn.io,engineimages.longhorn.io,orphans.longhorn.io"

// Dump writes the cluster's objects into a folder, a file for each kind.
func (w *World) Dump(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for kind := range strings.SplitSeq(kinds, ",") {
		said, err := w.Kubectl(ctx, "get", kind, "-A", "-o", "yaml")
		if err != nil {
			return err
		}
		if said.Exit != 0 {
			return fmt.Errorf("dump %s: %s", kind, said.Err)
		}
		if err := os.WriteFile(filepath.Join(dir, kind+".yaml"), []byte(said.Out), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Record dumps the objects and the truth, in truth.json, into the folder
// NAME/STEP below $LAB_RECORD. Without that it does nothing.
func (w *World) Record(ctx context.Context, name, step string) error {
	root := os.Getenv(RecordEnv)
	if root == "" {
		return nil
	}
	dir := filepath.Join(root, name, step)
	if err := w.Dump(ctx, dir); err != nil {
		return err
	}
	t, err := w.Truth(ctx)
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "truth.json"), append(raw, '\n'), 0o644)
}
