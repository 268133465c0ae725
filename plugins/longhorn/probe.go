// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// probeScript looks into directories; see its own head.
//
//go:embed probe.sh
var probeScript string

// ProbeScript is the script of every probe: what stands in for Longhorn runs it
// and nothing else.
func ProbeScript() string { return probeScript }

// Where things are in the container of an instance manager that runs replicas.
// It has the host's root directory below /host, in every version (v1.4.0
// controller/instance_manager_controller.go createReplicaManagerPodSpec, v1.8.1
// and v1.12.0 createInstanceManagerPodSpec): a replica's own process sees its
// directory by the same path.
const (
	hostPrefix = "/host"
	bootIDFile = "/proc/sys/kernel/random/boot_id"

	labelComponent  = "longhorn.io/component"
	labelManager    = "longhorn.io/instance-manager-type"
	labelDataEngine = "longhorn.io/data-engine"
)

const (
	// directoriesAtOnce bounds one command: its arguments travel in the
	// request's URL, of which proxies take 8 KiB.
	directoriesAtOnce = 50
	// servingMargin is how much older than its node a replica that serves may
	// be and still be looked at: more than any difference of clocks that is
	// tolerated elsewhere.
	servingMargin = time.Minute
)

// Probes returns the probes for every replica whose directory is all that can
// prove it: those at rest, and those that serve on a node that is younger.
// Failed ones are looked at too: whoever must salvage wants to know what is
// there. Of block disks (the v2 engine) nothing can be seen by files.
func (Storage) Probes(s *cluster.Snapshot, st *cluster.Storage) []plugin.Probe {
	type place struct{ node, disk string }
	wanted := map[place][]plugin.Target{}
	for i := range st.Volumes {
		v := &st.Volumes[i]
		if v.Medium == block {
			continue
		}
		for k := range v.Replicas {
			r := &v.Replicas[k]
			if n := s.Node(r.Node); n != nil && n.Ready == yes && !n.Deleting && worthALook(n, r) {
				at := place{r.Node, clean(r.DiskPath)}
				wanted[at] = append(wanted[at], plugin.Target{Replica: r.UID, DiskUUID: r.DiskUUID, Directory: r.Directory})
			}
		}
	}
	places := make([]place, 0, len(wanted))
	for at := range wanted {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int {
		return strings.Compare(a.node+"\x00"+a.disk, b.node+"\x00"+b.disk)
	})
	var out []plugin.Probe
	for _, at := range places {
		for targets := range slices.Chunk(wanted[at], directoriesAtOnce) {
			p := plugin.Probe{Node: s.Node(at.node).Ref, Targets: targets}
			if p.Lacks = ask(&p, s, st.Namespace); p.Lacks == "" {
				p.Command = commandOf(at.disk, targets)
			}
			out = append(out, p)
		}
	}
	return out
}

// worthALook reports whether the replica's directory would tell something, and
// its name can be asked for.
func worthALook(n *cluster.Node, r *cluster.Replica) bool {
	if r.UID == "" || r.DiskUUID == "" || !path.IsAbs(r.DiskPath) || !plainName(r.Directory) {
		return false
	}
	switch r.Claim {
	case cluster.Placeholder, cluster.Untouched, cluster.Rebuilding:
		return false
	case cluster.Serving:
		return n.Created.Add(servingMargin).After(r.HealthyAt)
	default:
		return true
	}
}

// plainName reports whether a directory's name is one that Longhorn gives: a
// volume's name, a dash, and some characters. No other is put into a command.
func plainName(name string) bool {
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != "" && name != "." && name != ".."
}

// ask names the pod and the container in which the probe is to run, or says why
// there is none.
func ask(p *plugin.Probe, s *cluster.Snapshot, namespace string) string {
	if s.Node(p.Node.Name).BootID == "" {
		return "node " + p.Node.Name + " does not say which boot of which machine it is"
	}
	pod := managerPod(s, namespace, p.Node.Name)
	if pod == nil {
		return "no instance manager that runs replicas is ready on node " + p.Node.Name
	}
	p.Pod, p.Container = pod.Ref, "instance-manager"
	if pod.Labels[labelManager] == "replica" {
		p.Container = "replica-manager"
	}
	return ""
}

// commandOf looks at directories on one disk. Names are arguments of the script
// and never part of its text.
func commandOf(disk string, targets []plugin.Target) []string {
	out := []string{"/bin/sh", "-c", probeScript, "probe", bootIDFile, hostPrefix + disk}
	for _, t := range targets {
		out = append(out, t.Directory)
	}
	return out
}

// managerPod returns the pod of an instance manager on the node that sees the
// host's disks, or nil. Up to Longhorn 1.4 those of type engine do not; of the
// others one of the v1 engine comes first.
func managerPod(s *cluster.Snapshot, namespace, node string) *cluster.Pod {
	var found *cluster.Pod
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.Node != node || p.Ref.Namespace != namespace || p.Labels[labelComponent] != "instance-manager" ||
			p.Labels[labelManager] == "engine" || p.Ready != yes || p.Deleting || p.Finished {
			continue
		}
		if found == nil || found.Labels[labelDataEngine] == "v2" && p.Labels[labelDataEngine] != "v2" {
			found = p
		}
	}
	return found
}
