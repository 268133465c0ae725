// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"fmt"
	"reflect"
	"time"
	"unique"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// core collects Kubernetes' own objects, each reduced to what is needed. It is
// to Kubernetes what a plugin's Reader is to a storage.
type core struct {
	pods        *narrow.Shelf[pod]
	persistent  *narrow.Shelf[cluster.PersistentVolume]
	attachments *narrow.Shelf[cluster.Attachment]
	nodes       map[cluster.UID]cluster.Node
	leases      map[cluster.UID]lease
	budgets     map[cluster.UID]budget
	daemonSets  map[cluster.UID]string // namespace/name
	// daemonsRead: the DaemonSets were read, so one that is missing is gone.
	daemonsRead bool
	joined      joined
	// forVolumes: it is joined once, and what only questions about one node need
	// is decoded and let go. No event comes, so PersistentVolumes are put straight
	// into their list, and not onto a shelf to be unpacked again.
	forVolumes bool
	listed     []cluster.PersistentVolume
}

// joined are the lists of the last joining, each until something of it changes.
type joined struct {
	pods        list[cluster.Pod]
	persistent  list[cluster.PersistentVolume]
	attachments list[cluster.Attachment]
	budgets     list[cluster.Budget]
}

// list is made when it is asked for, and then kept.
type list[T any] struct {
	of   []T
	made bool
}

func (l *list[T]) or(anew func() []T) []T {
	if !l.made {
		l.of, l.made = anew(), true
	}
	return l.of
}

// drop has it made anew. Kinds that are read at the same time drop the same list,
// which nobody has made yet: then nothing is written.
func (l *list[T]) drop() {
	if l.made {
		*l = list[T]{}
	}
}

// stale drops the lists that an object of the kind is part of.
func (c *core) stale(kind string) {
	switch kind {
	case kindPod, kindDaemonSet:
		c.joined.pods.drop()
		c.joined.budgets.drop()
	case kindBudget:
		c.joined.budgets.drop()
	case kindPersistent:
		c.joined.persistent.drop()
	case kindAttachment:
		c.joined.attachments.drop()
	}
}

type lease struct {
	node     string
	renewed  time.Time
	duration time.Duration
}

type pod struct {
	cluster.Pod
	DaemonSet string // namespace/name of its controller, where that is one
}

type budget struct {
	cluster.Budget
	selector labels.Selector
}

func newCore() *core {
	c := &core{
		nodes:      map[cluster.UID]cluster.Node{},
		leases:     map[cluster.UID]lease{},
		budgets:    map[cluster.UID]budget{},
		daemonSets: map[cluster.UID]string{},
	}
	for _, kind := range []string{kindPod, kindPersistent, kindAttachment} {
		c.empty(kind)
	}
	return c
}

// empty gives the kind an empty shelf. Each has words of its own: the kinds are
// read at the same time.
func (c *core) empty(kind string) {
	switch kind {
	case kindPod:
		c.pods = narrow.NewShelf[pod](narrow.NewWords(), nil)
	case kindPersistent:
		c.listed = nil
		c.persistent = narrow.NewShelf(narrow.NewWords(), func(v *cluster.PersistentVolume) string { return v.Handle })
	case kindAttachment:
		c.attachments = narrow.NewShelf(narrow.NewWords(), func(a *cluster.Attachment) string { return a.PV })
	}
}

// meta is the metadata that is kept of Kubernetes' own objects.
type meta struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	UID         cluster.UID       `json:"uid"`
	Created     *time.Time        `json:"creationTimestamp"`
	Deleted     *time.Time        `json:"deletionTimestamp"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Owners      []struct {
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		Controller bool   `json:"controller"`
	} `json:"ownerReferences"`
}

// key identifies an object: its UID, or its name where a file has none.
func (m meta) key() cluster.UID {
	if m.UID == "" {
		return cluster.UID("name:" + m.Namespace + "/" + m.Name)
	}
	return m.UID
}

// Called is its name.
func (m meta) Called() string { return m.Name }

// decode decodes an item of the named kind.
func decode[Spec, Status any](kind string, item []byte) (*narrow.Object[meta, Spec, Status], error) {
	return narrow.Decode[meta, Spec, Status](kind, item)
}

// Put decodes one object of the kind and keeps it in place of its predecessor.
func (c *core) Put(k plugin.Kind, item []byte) error {
	_, err := c.put(k, item)
	return err
}

// put reports also whether anything that is kept has changed, so that a
// heartbeat wakes nobody.
func (c *core) put(k plugin.Kind, item []byte) (bool, error) {
	changed, err := c.keep(k.Name, item)
	if err != nil {
		return false, fmt.Errorf("an object of %s cannot be read: %w", source{Kind: k}.spelled(), err)
	}
	if changed {
		c.stale(k.Name)
	}
	return changed, nil
}

func (c *core) keep(kind string, item []byte) (bool, error) {
	switch kind {
	case kindNode:
		return keep(c.nodes, item, readNode)
	case kindLease:
		return keep(c.leases, item, readLease)
	case kindPod:
		return shelve(c.pods, item, readPod, func(p *pod) bool { return !c.forVolumes || p.DaemonSet != "" })
	case kindBudget:
		return keep(c.budgets, item, readBudget)
	case kindPersistent:
		if c.forVolumes {
			return true, c.enlist(item)
		}
		return shelve(c.persistent, item, readPersistent, nil)
	case kindAttachment:
		return shelve(c.attachments, item, readAttachment, func(*cluster.Attachment) bool { return !c.forVolumes })
	case kindDaemonSet:
		return keep(c.daemonSets, item, readDaemonSet)
	default:
		return false, errors.New("the kind is not one that is read")
	}
}

func keep[T any](kept map[cluster.UID]T, item []byte, read func([]byte) (cluster.UID, T, error)) (bool, error) {
	uid, o, err := read(item)
	if err != nil {
		return false, err
	}
	old, known := kept[uid]
	kept[uid] = o
	return !known || !reflect.DeepEqual(old, o), nil
}

// shelve decodes the item, puts it on its shelf where it is wanted (all are if
// wanted is nil), and reports whether that changed anything.
func shelve[T any](on *narrow.Shelf[T], item []byte, read func([]byte) (cluster.UID, T, error), wanted func(*T) bool) (bool, error) {
	uid, o, err := read(item)
	if err != nil || wanted != nil && !wanted(&o) {
		return false, err
	}
	return on.Put(uid, &o), nil
}

// enlist keeps of a PersistentVolume what judging a volume needs, each word once.
func (c *core) enlist(item []byte) error {
	_, pv, err := readPersistent(item)
	if err != nil {
		return err
	}
	pv.UID, pv.Driver, pv.ClaimNamespace = "", unique.Make(pv.Driver).Value(), unique.Make(pv.ClaimNamespace).Value()
	if pv.Handle == pv.Name {
		pv.Handle = pv.Name
	}
	c.listed = append(c.listed, pv)
	return nil
}

// Drop forgets the object of that kind with that UID.
func (c *core) Drop(k plugin.Kind, uid cluster.UID) {
	c.stale(k.Name)
	switch k.Name {
	case kindNode:
		delete(c.nodes, uid)
	case kindLease:
		delete(c.leases, uid)
	case kindPod:
		c.pods.Drop(uid)
	case kindBudget:
		delete(c.budgets, uid)
	case kindPersistent:
		c.persistent.Drop(uid)
	case kindAttachment:
		c.attachments.Drop(uid)
	case kindDaemonSet:
		delete(c.daemonSets, uid)
	}
}

// forget drops all objects of the kind.
func (c *core) forget(k plugin.Kind) {
	c.stale(k.Name)
	switch k.Name {
	case kindNode:
		clear(c.nodes)
	case kindLease:
		clear(c.leases)
	case kindBudget:
		clear(c.budgets)
	case kindDaemonSet:
		clear(c.daemonSets)
	default:
		c.empty(k.Name)
	}
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
