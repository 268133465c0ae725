// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// seenAfterOne asks the tool right after one node was re-created, when
// Longhorn's own objects still look fine: from the cluster, from files of it,
// and as somebody who may not read everything.
func seenAfterOne(t *testing.T, w *world.World, e scenario.Expected) {
	t.Helper()
	short := worldtest.Truth(t, w).Short(e, 2)
	if len(short) == 0 {
		t.Fatal("no volume had a copy on the node that was re-created")
	}
	live := worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	files := worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-f", dump(t, w), "-o", "wide")
	for _, volume := range short {
		for how, said := range map[string]world.Said{"live": live, "from files": files} {
			if !strings.Contains(said.All(), volume) {
				t.Errorf("%s: %s has one copy left and is not named", how, volume)
			}
		}
	}
	forbidden(t, w)
	refused(t, w)
}

// refused asks for the next node, and sees that nothing was changed by asking.
func refused(t *testing.T, w *world.World) {
	t.Helper()
	t.Log(worldtest.Kubectl(t, w, 3, "safe-roll", "verify").All())
	t.Log(worldtest.Kubectl(t, w, 3, "safe-roll", "drain", "worker-2").All())
	t.Log(worldtest.Kubectl(t, w, 3, "safe-roll", "run", "worker-2", "--yes", "--delete-node").All())
	for _, what := range []string{
		"node/worker-2 {.spec.unschedulable}",
		"nodes.longhorn.io/worker-2 -n longhorn-system {.spec.evictionRequested}",
	} {
		f := strings.Fields(what)
		said := worldtest.Kubectl(t, w, 0, append(append([]string{"get"}, f[:len(f)-1]...), "-o", "jsonpath="+f[len(f)-1])...)
		if said.Out == "true" {
			t.Errorf("the refusal changed %s", what)
		}
	}
}

// dumped are the kinds of a dump as people take it.
const dumped = "nodes,persistentvolumes,pods,poddisruptionbudgets,leases," +
	"volumes.longhorn.io,replicas.longhorn.io,engines.longhorn.io,nodes.longhorn.io," +
	"settings.longhorn.io,volumeattachments.longhorn.io,instancemanagers.longhorn.io,engineimages.longhorn.io"

// dump writes the cluster's objects into files, a kind each.
func dump(t *testing.T, w *world.World) string {
	t.Helper()
	dir := t.TempDir()
	for kind := range strings.SplitSeq(dumped, ",") {
		said := worldtest.Kubectl(t, w, 0, "get", kind, "-A", "-o", "yaml")
		if err := os.WriteFile(filepath.Join(dir, kind+".yaml"), []byte(said.Out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// forbidden asks as somebody who may read everything but replicas.
func forbidden(t *testing.T, w *world.World) {
	t.Helper()
	const user = "half-blind"
	worldtest.Kubectl(t, w, 0, "create", "clusterrole", user, "--verb=get,list,watch",
		"--resource=nodes,pods,persistentvolumes,poddisruptionbudgets.policy,leases.coordination.k8s.io,volumeattachments.storage.k8s.io,"+
			"daemonsets.apps,volumes.longhorn.io,engines.longhorn.io,nodes.longhorn.io,settings.longhorn.io,"+
			"volumeattachments.longhorn.io,instancemanagers.longhorn.io,engineimages.longhorn.io")
	worldtest.Kubectl(t, w, 0, "create", "clusterrolebinding", user, "--clusterrole="+user, "--user="+user)
	kubeconfig, err := w.Cluster.UserKubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	said, err := w.KubectlAs(t.Context(), kubeconfig, "safe-roll", "verify")
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit != 4 || !strings.Contains(said.All(), "replicas.longhorn.io") || !strings.Contains(said.All(), "forbidden") {
		t.Errorf("exit %d, want 4 and the reason\n%s", said.Exit, said.All())
	}
}
