// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// The kinds of links.
const (
	linkClaim       = "claim"
	linkPV          = "persistentVolume"
	linkVolume      = "volume"
	linkEngine      = "engine"
	linkNode        = "node"
	linkStorageNode = "storageNode"
	linkDisk        = "disk"
	linkDirectory   = "directory"
	linkOrphan      = "orphan"
)

// chain leads from the claim to the engine, and to what nobody names any more.
func (e Explained) chain() []v1alpha1.Link {
	var out []v1alpha1.Link
	vj := e.Volume
	if pv := e.persistent(); pv != nil {
		if pv.ClaimName != "" {
			out = append(out, v1alpha1.Link{Kind: linkClaim, Name: pv.ClaimNamespace + "/" + pv.ClaimName, Says: e.users(pv)})
		}
		says := "of driver " + pv.Driver
		if !pv.Bound {
			says += ", not bound"
		}
		out = append(out, v1alpha1.Link{Kind: linkPV, Name: pv.Name, Says: says})
	}
	v := vj.Volume
	says := fmt.Sprintf("%s; wants %s, %s large, %s written", state(v.State), decide.Many(v.Want, "replica"), amount(v.Size), amount(v.Used))
	for _, h := range v.Holds {
		says += fmt.Sprintf("; held on %s by %s", or(h.Node, "no node"), or(h.Why, "somebody"))
	}
	out = append(out, v1alpha1.Link{Kind: linkVolume, Name: v.Name, Says: says})
	out = append(out, v1alpha1.Link{Kind: linkEngine, Name: v.Engine.Name, Says: e.engine()})
	return append(out, e.orphans()...)
}

// orphans are the directories of the volume that no replica names.
func (e Explained) orphans() []v1alpha1.Link {
	var out []v1alpha1.Link
	st := e.Judgement.Snapshot.Storage(e.Volume.Driver)
	for i := 0; st != nil && i < len(st.Orphans); i++ {
		if o := &st.Orphans[i]; o.Volume == e.Volume.Volume.Name {
			out = append(out, v1alpha1.Link{Kind: linkOrphan, Name: o.Name,
				Says: fmt.Sprintf("directory %s on %s, disk %s, which no replica names: it may hold the data", o.Directory, or(o.Node, "no known node"), o.DiskUUID)})
		}
	}
	return out
}

// persistent is the PersistentVolume that refers to the volume, or nil.
func (e Explained) persistent() *cluster.PersistentVolume {
	all := e.Judgement.Snapshot.Persistent
	i := slices.IndexFunc(all, func(p cluster.PersistentVolume) bool { return p.Name == e.Volume.PV })
	if i < 0 || e.Volume.PV == "" {
		return nil
	}
	return &all[i]
}

// users says which pods mount the claim.
func (e Explained) users(pv *cluster.PersistentVolume) string {
	var pods []string
	for _, p := range e.Judgement.Snapshot.Pods {
		if p.Ref.Namespace == pv.ClaimNamespace && !p.Finished && slices.Contains(p.Claims, pv.ClaimName) {
			pods = append(pods, p.Ref.Name+" on "+or(p.Node, "no node yet"))
		}
	}
	if len(pods) == 0 {
		return "no pod mounts it now"
	}
	return "mounted by " + strings.Join(pods, ", ")
}

// engine says who serves the volume.
func (e Explained) engine() string {
	x := &e.Volume.Volume.Engine
	switch {
	case x.Present != cluster.Yes:
		return "there is not exactly one current engine"
	case x.Running == cluster.Yes:
		return "runs on " + or(x.Node, "no known node") + e.life(x.Node)
	case x.Ever == cluster.No:
		return "was never started"
	case x.Running == cluster.No:
		return "stopped: nobody reads or writes the volume"
	default:
		return "whether it runs is not known"
	}
}

// life says what is wrong with a node that should be live.
func (e Explained) life(node string) string {
	if n := e.Judgement.Node(node); n != nil && n.Live == cluster.Yes {
		return ", which is live"
	}
	return ", which is not known to be live"
}

// place leads from a replica to its directory.
func (e Explained) place(r *cluster.Replica) []v1alpha1.Link {
	if r.Node == "" {
		return []v1alpha1.Link{{Kind: linkNode, Says: "it was given no node"}}
	}
	out := []v1alpha1.Link{e.node(r)}
	sn := e.storageNode(r.Node)
	out = append(out, v1alpha1.Link{Kind: linkStorageNode, Name: r.Node, Says: storageNodeSays(sn)})
	out = append(out, v1alpha1.Link{Kind: linkDisk, Name: r.DiskUUID, Says: e.disk(sn, r)})
	return append(out, v1alpha1.Link{Kind: linkDirectory, Name: r.Directory, Says: e.directory(r)})
}

// node says whether the machine is there, and is older than the data on it.
func (e Explained) node(r *cluster.Replica) v1alpha1.Link {
	l := v1alpha1.Link{Kind: linkNode, Name: r.Node}
	n := e.Judgement.Node(r.Node)
	if n == nil {
		l.Says = "is not in the cluster"
		return l
	}
	words := []string{live(n)}
	if !n.Node.Created.IsZero() {
		words = append(words, fmt.Sprintf("made %s (UID %s)", moment(n.Node.Created), n.Node.Ref.UID))
	}
	if !r.HealthyAt.IsZero() {
		words = append(words, "the replica's object says healthy since "+moment(r.HealthyAt))
	}
	l.Says = strings.Join(words, "; ")
	return l
}

func live(n *assess.NodeJudgement) string {
	switch {
	case n.Live == cluster.Yes && n.Node.Cordoned:
		return "live, cordoned"
	case n.Live == cluster.Yes:
		return "live"
	case len(n.Findings) > 0:
		return strings.TrimSuffix(strings.TrimPrefix(n.Findings[0].Message, "Node "+n.Node.Ref.Name+" is "), ".")
	default:
		return "not known to be live"
	}
}

func (e Explained) storageNode(name string) *cluster.StorageNode {
	st := e.Judgement.Snapshot.Storage(e.Volume.Driver)
	if st == nil {
		return nil
	}
	for i := range st.Nodes {
		if st.Nodes[i].Name == name {
			return &st.Nodes[i]
		}
	}
	return nil
}

func storageNodeSays(sn *cluster.StorageNode) string {
	switch {
	case sn == nil:
		return "has no object for this node"
	case sn.Deleting:
		return "its object for this node is being deleted"
	case sn.Ready == cluster.Yes:
		return "ready"
	default:
		return "not ready" + reason(sn.ReadyReason)
	}
}

func reason(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// disk says whether the replica's disk is where it should be.
func (e Explained) disk(sn *cluster.StorageNode, r *cluster.Replica) string {
	if sn == nil {
		return "nobody reports the disks of this node"
	}
	var have []string
	for _, d := range sn.Disks {
		if d.Reported && d.UUID == r.DiskUUID {
			if d.Ready == cluster.Yes {
				return "ready, at " + d.Path
			}
			return "not ready" + reason(d.ReadyReason) + ", at " + d.Path
		}
		if d.Reported && d.UUID != "" {
			have = append(have, d.UUID+" at "+d.Path)
		}
	}
	if len(have) == 0 {
		return "is not on this node, which has told of no disk"
	}
	return "is not on this node, which has " + strings.Join(have, ", ")
}

// directory says what was seen in it.
func (e Explained) directory(r *cluster.Replica) string {
	p := r.Probe
	if p == nil {
		s := "nobody has looked into it"
		if e.Judgement.Snapshot.Source == cluster.SourceLive {
			s += "; --probe does"
		}
		return s
	}
	says := map[cluster.Seen]string{
		cluster.SeenNoAnswer: "a look was asked for, and nobody answered",
		cluster.SeenData:     "there, with data",
		cluster.SeenNothing:  "MISSING from its disk",
		cluster.SeenBlank:    "there, and blank",
		cluster.SeenBroken:   "there, and no whole replica",
		cluster.SeenRemade:   "MISSING from its disk before the volume was opened: what is there now was made anew",
	}[p.Seen]
	if says == "" {
		says = "saw " + p.Seen.String()
	}
	return says + " (" + evidence(p.Facts) + "; " + moment(p.At) + ")"
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// amount is a number of bytes as people say it.
func amount(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n), ""
	for _, p := range []string{"Ki", "Mi", "Gi", "Ti", "Pi"} {
		if value < unit {
			break
		}
		value, prefix = value/unit, p
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + prefix + "B"
}
