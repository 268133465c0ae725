// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// The world of the tests: three workers and a control-plane node, all alive,
// one storage with a disk on each worker, and whatever volumes a test adds.

const driver = "block.example.org"

// now is the present of every test.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) time.Time { return now().Add(-d) }

// lab is a snapshot that tests bend.
type lab struct {
	s   *cluster.Snapshot
	pol policy.Policy
}

func newLab() *lab {
	l := &lab{s: &cluster.Snapshot{
		Source: cluster.SourceLive,
		Look:   cluster.Look{Began: ago(time.Second), Ended: now(), Fresh: true},
		Storages: []cluster.Storage{{
			Driver: driver, Namespace: "storage-system", Reported: ago(time.Minute),
			Settings: []cluster.Fact{{Name: "drain-policy", Value: "strict"}},
		}},
	}, pol: policy.Default()}
	for _, name := range []string{"control", "w1", "w2", "w3"} {
		l.s.Nodes = append(l.s.Nodes, cluster.Node{
			Ref: cluster.NodeRef{Name: name, UID: cluster.UID("uid-" + name)}, Created: ago(100 * 24 * time.Hour),
			Ready: cluster.Yes, LeaseRenewed: ago(5 * time.Second), LeaseDuration: 40 * time.Second,
		})
	}
	for _, name := range []string{"w1", "w2", "w3"} {
		l.st().Nodes = append(l.st().Nodes, cluster.StorageNode{
			Name: name, UID: cluster.UID("sn-" + name), Ready: cluster.Yes, Serving: cluster.Yes,
			Created: ago(99 * 24 * time.Hour), Reported: ago(time.Minute),
			Disks: []cluster.Disk{{Name: "disk-" + name, UUID: "disk-" + name, Path: "/data",
				Declared: true, Reported: true, Ready: cluster.Yes, Schedulable: cluster.Yes, Accept: true}},
		})
	}
	return l
}

func (l *lab) st() *cluster.Storage { return &l.s.Storages[0] }

func (l *lab) node(name string) *cluster.Node { return l.s.Node(name) }

func (l *lab) sn(name string) *cluster.StorageNode {
	for i := range l.st().Nodes {
		if l.st().Nodes[i].Name == name {
			return &l.st().Nodes[i]
		}
	}
	return nil
}

func (l *lab) disk(node string) *cluster.Disk { return &l.sn(node).Disks[0] }

func (l *lab) v(name string) *cluster.Volume {
	for i := range l.st().Volumes {
		if l.st().Volumes[i].Name == name {
			return &l.st().Volumes[i]
		}
	}
	return nil
}

// r is replica number i of volume "data".
func (l *lab) r(i int) *cluster.Replica { return &l.v("data").Replicas[i] }

// detached adds a volume at rest with one healthy replica on each node.
func (l *lab) detached(name string, nodes ...string) *lab {
	v := cluster.Volume{
		Name: name, UID: cluster.UID("v-" + name), Handle: name, Class: cluster.ClassOrdinary,
		Want: len(nodes), Need: 1, State: cluster.Detached, Touched: true, SharesNode: cluster.No,
		Engine: cluster.Engine{Present: cluster.Yes, Name: name + "-e", Running: cluster.No, Ever: cluster.Yes},
	}
	for _, n := range nodes {
		v.Replicas = append(v.Replicas, replicaOf(name, n))
	}
	l.st().Volumes = append(l.st().Volumes, v)
	l.s.Persistent = append(l.s.Persistent, cluster.PersistentVolume{
		Name: "pv-" + name, Driver: driver, Handle: name, ClaimNamespace: "apps", ClaimName: name, Bound: true,
	})
	return l
}

func replicaOf(volume, node string) cluster.Replica {
	return cluster.Replica{
		Name: volume + "-r-" + node, UID: cluster.UID("r-" + volume + "-" + node), Claim: cluster.Idle, Node: node,
		DiskUUID: "disk-" + node, DiskPath: "/data/", Directory: volume + "-" + node, Owner: node,
		HealthyAt: ago(10 * 24 * time.Hour),
	}
}

// attached adds a volume that a running engine on the first node serves.
func (l *lab) attached(name string, nodes ...string) *lab {
	l.detached(name, nodes...)
	v := l.v(name)
	v.State = cluster.Attached
	v.Engine.Running, v.Engine.Node, v.Engine.Owner = cluster.Yes, nodes[0], nodes[0]
	for i := range v.Replicas {
		v.Replicas[i].Claim = cluster.Serving
	}
	return l
}

// unused adds a volume that nobody ever used.
func (l *lab) unused(name string, nodes ...string) *lab {
	l.detached(name, nodes...)
	v := l.v(name)
	v.Touched, v.Engine.Ever = false, cluster.No
	for i := range v.Replicas {
		v.Replicas[i].Claim, v.Replicas[i].HealthyAt = cluster.Untouched, time.Time{}
	}
	return l
}

// remove takes a Kubernetes node away.
func (l *lab) remove(name string) {
	l.s.Nodes = slices.DeleteFunc(l.s.Nodes, func(n cluster.Node) bool { return n.Ref.Name == name })
}

// recreate puts a machine of the same name with another disk in a node's place.
func (l *lab) recreate(name string) {
	n := l.node(name)
	n.Ref.UID, n.Created = "uid-"+cluster.UID(name)+"-again", ago(2*time.Minute)
	sn := l.sn(name)
	sn.UID, sn.Created, sn.Reported = "sn-again", ago(time.Minute), ago(time.Minute)
	sn.Disks[0].UUID, sn.Disks[0].Name = "disk-"+name+"-new", "disk-new"
}

func (l *lab) judge() *Judgement { return Judge(l.s, l.pol, now()) }

// codes are the codes of findings with at least that severity, sorted.
func codes(fs []Finding, least Severity) []string {
	var out []string
	for _, f := range fs {
		if f.Severity >= least {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func wantCodes(t *testing.T, fs []Finding, least Severity, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := codes(fs, least); !slices.Equal(got, want) {
		t.Errorf("codes %v, want %v\n%s", got, want, say(fs))
	}
}

func say(fs []Finding) string {
	out := ""
	for _, f := range fs {
		out += f.Severity.String() + " " + f.Code + ": " + f.Message + "\n"
	}
	return out
}
