// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// history is how many former snapshots are kept, to be served as stale ones.
const history = 8

// read returns everything that the API would show now. Only what changed since
// the last reading goes through JSON.
func (w *World) read(began time.Time) (*cluster.Snapshot, error) {
	if err := w.readStorage(); err != nil {
		return nil, err
	}
	w.revision++
	s := &cluster.Snapshot{
		Revision: w.revision, Source: cluster.SourceLive,
		Look:     cluster.Look{Began: began, Ended: time.Now(), Fresh: true},
		Storages: []cluster.Storage{w.storage}, Gaps: w.gaps,
	}
	s.Nodes = make([]cluster.Node, 0, len(w.machines))
	for _, n := range w.machines {
		s.Nodes = append(s.Nodes, w.nodeFact(n))
	}
	w.podFacts(s)
	w.volumeFacts(s)
	if len(w.snapshots) == history {
		w.snapshots = slices.Delete(w.snapshots, 0, 1)
	}
	w.snapshots = append(w.snapshots, s)
	return s, nil
}

// readStorage gives the reader what the model has changed, if that is news to it,
// and joins it anew.
func (w *World) readStorage() error {
	refs, revision := w.model.Changed(w.seen)
	if len(refs) == 0 && w.seen > 0 {
		return nil
	}
	first, news := w.seen == 0, false
	w.seen = revision
	for _, ref := range refs {
		w.versions[ref]++
		differs, err := w.show(ref)
		if err != nil {
			return err
		}
		news = news || differs
	}
	if news || first {
		w.storage, w.gaps = w.reader.Storage()
	}
	return nil
}

// known is what the reader has of an object.
type known struct {
	uid cluster.UID
	raw []byte
}

// show gives the reader an object as it is, and reports whether it differs from
// what the reader has.
func (w *World) show(ref model.Ref) (differs bool, err error) {
	kind := w.kinds[string(ref.Kind)]
	o, old := w.model.Get(ref.Kind, ref.Name), w.known[ref]
	if old.uid != "" && (o == nil || cluster.UID(o.GetUID()) != old.uid) {
		w.reader.Drop(kind, old.uid)
		delete(w.known, ref)
		old, differs = known{}, true
	}
	if o == nil {
		return differs, nil
	}
	raw, err := json.Marshal(shown(o))
	if err != nil {
		return differs, fmt.Errorf("encode %s %s: %w", ref.Kind, ref.Name, err)
	}
	if bytes.Equal(raw, old.raw) {
		return differs, nil
	}
	if err := w.reader.Put(kind, raw); err != nil {
		return differs, fmt.Errorf("read %s %s: %w", ref.Kind, ref.Name, err)
	}
	w.known[ref] = known{cluster.UID(o.GetUID()), raw}
	return true, nil
}

func (w *World) nodeFact(n *machine) cluster.Node {
	f := cluster.Node{
		Ref: n.ref(), Created: n.created.Truncate(time.Second), Ready: cluster.No, ReadyReason: "KubeletNotReady",
		LeaseRenewed: n.renewed(w.now), LeaseDuration: leaseLasts, Cordoned: n.cordoned, ProviderID: "sim://" + string(n.uid),
		BootID: n.boot(), Labels: map[string]string{"node-role.kubernetes.io/" + n.role: ""},
	}
	switch {
	case n.ready(w.now):
		f.Ready, f.ReadyReason = cluster.Yes, "KubeletReady"
	case !n.on:
		f.Ready, f.ReadyReason = cluster.Unknown, "NodeStatusUnknown"
	}
	return f
}

func (w *World) podFacts(s *cluster.Snapshot) {
	s.Pods = make([]cluster.Pod, 0, len(w.machines)+len(w.pods))
	for _, n := range w.machines {
		if n.role != "worker" {
			continue
		}
		s.Pods = append(s.Pods, cluster.Pod{
			Ref:  cluster.PodRef{Namespace: longhorn.Namespace, Name: "longhorn-manager-" + n.name, UID: "manager-" + n.uid},
			Node: n.name, Ready: cluster.AnswerOf(n.ready(w.now)), Owner: cluster.OwnerDaemonSet, OwnerName: "DaemonSet/longhorn-manager",
		})
	}
	manager := map[string]string{"longhorn.io/component": "instance-manager", "longhorn.io/instance-manager-type": "aio"}
	for _, p := range w.pods {
		f := cluster.Pod{
			Ref: cluster.PodRef{Namespace: p.namespace, Name: p.name, UID: p.uid}, Node: p.node,
			Ready: cluster.AnswerOf(p.ready), Deleting: p.deleting, Owner: cluster.OwnerOther, OwnerName: "InstanceManager/" + p.name,
		}
		if p.load == nil {
			f.Labels = manager
		} else {
			f.OwnerName = "StatefulSet/" + p.load.name
			if p.load.volume != "" {
				f.Claims = []string{p.load.volume}
			}
		}
		s.Pods = append(s.Pods, f)
		if w.model.Guarded(p.name) {
			s.Budgets = append(s.Budgets, cluster.Budget{
				Namespace: p.namespace, Name: p.name, UID: "budget-" + p.uid, Healthy: 1, Desired: 1, Expected: 1, Pods: []cluster.UID{p.uid},
			})
		}
	}
	for _, l := range w.loads {
		if l.guarded {
			s.Budgets = append(s.Budgets, w.budgetFact(l))
		}
	}
}

func (w *World) budgetFact(l *workload) cluster.Budget {
	b := cluster.Budget{
		Namespace: namespace, Name: l.name, UID: cluster.UID("budget-" + l.name),
		Healthy: w.readyPods(l), Desired: 1, Expected: l.want, Allowed: max(0, w.readyPods(l)-1),
	}
	for _, p := range w.pods {
		if p.load == l {
			b.Pods = append(b.Pods, p.uid)
		}
	}
	return b
}

// volumeFacts tells of volumes, which are made anew only where one came or went,
// and of attachments.
func (w *World) volumeFacts(s *cluster.Snapshot) {
	if w.listed != w.roster {
		w.listed, w.bound = w.roster, nil
		for _, v := range w.volumes {
			if v.deleted {
				continue
			}
			w.bound = append(w.bound, cluster.PersistentVolume{
				Name: "pv-" + v.name, UID: cluster.UID("pv-" + v.name), Driver: longhorn.Driver, Handle: v.name,
				ClaimNamespace: namespace, ClaimName: v.name, Bound: true,
			})
		}
	}
	s.Persistent = slices.Clip(w.bound)
	for _, l := range w.links {
		s.Attachments = append(s.Attachments, cluster.Attachment{
			Name: l.name, UID: l.uid, Driver: longhorn.Driver, PV: "pv-" + l.volume, Node: l.node,
			Attached: l.attached, Deleting: l.deleting,
		})
	}
}

// object returns a storage object as the API would, with its version.
func (w *World) object(ref model.Ref) ([]byte, types.UID, string, error) {
	if err := w.readStorage(); err != nil {
		return nil, "", "", err
	}
	o := w.model.Get(ref.Kind, ref.Name)
	if o == nil {
		return nil, "", "", model.ErrNotFound
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, "", "", fmt.Errorf("encode %s %s: %w", ref.Kind, ref.Name, err)
	}
	return raw, o.GetUID(), fmt.Sprint(w.versions[model.Ref{Kind: ref.Kind, Name: ref.Name}]), nil
}
