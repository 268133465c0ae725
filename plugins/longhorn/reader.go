// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// Reader collects Longhorn's objects, each reduced to what is needed, by UID.
// Kinds of which there are as many as there are volumes are kept on shelves.
type Reader struct {
	volumes       *narrow.Shelf[volume]
	engines       *narrow.Shelf[engine]
	replicas      *narrow.Shelf[replica]
	attachments   *narrow.Shelf[attachment]
	nodes         map[cluster.UID]*node
	settings      map[cluster.UID]*setting
	managers      map[cluster.UID]*manager
	shares        map[cluster.UID]*share
	engineImages  map[cluster.UID]*engineImage
	backingImages map[cluster.UID]*backingImage
	orphans       map[cluster.UID]*orphan
	shardGroups   map[cluster.UID]*shardGroup

	// names are those of the last joining, parts what it made of each of them, and
	// shared what that rested on.
	names  []string
	parts  []part
	shared shared
	values settingValues // nil where one has been put or dropped since
}

// NewReader returns an empty Reader.
func NewReader() *Reader {
	words := narrow.NewWords()
	return &Reader{
		volumes:       narrow.NewShelf(words, func(v *volume) string { return v.Name }),
		engines:       narrow.NewShelf(words, func(e *engine) string { return e.Volume }),
		replicas:      narrow.NewShelf(words, func(r *replica) string { return r.Volume }),
		attachments:   narrow.NewShelf(words, func(a *attachment) string { return a.Volume }),
		nodes:         map[cluster.UID]*node{},
		settings:      map[cluster.UID]*setting{},
		managers:      map[cluster.UID]*manager{},
		shares:        map[cluster.UID]*share{},
		engineImages:  map[cluster.UID]*engineImage{},
		backingImages: map[cluster.UID]*backingImage{},
		orphans:       map[cluster.UID]*orphan{},
		shardGroups:   map[cluster.UID]*shardGroup{},
	}
}

// keyed is what every kept object has.
type keyed interface{ key() cluster.UID }

// keep decodes the item and keeps it in place of its predecessor.
func keep[T keyed](kept map[cluster.UID]T, item []byte, from func([]byte) (T, error)) error {
	o, err := from(item)
	if err != nil {
		return err
	}
	kept[o.key()] = o
	return nil
}

// shelve decodes the item and puts it on its shelf.
func shelve[T any, P interface {
	*T
	keyed
}](on *narrow.Shelf[T], item []byte, from func([]byte) (P, error)) error {
	o, err := from(item)
	if err != nil {
		return err
	}
	on.Put(o.key(), o)
	return nil
}

// keepReplica keeps of a replica that cannot be decoded that its volume has it:
// one of which nothing is known is not one that is lost.
func (r *Reader) keepReplica(item []byte) error {
	err := shelve(r.replicas, item, newReplica)
	if err == nil {
		return nil
	}
	if x := unread(item, err); x != nil {
		r.replicas.Put(x.key(), x)
	}
	return err
}

// Put decodes one object of the kind. It returns an error for a kind that is
// not Longhorn's and for an object that cannot be decoded.
func (r *Reader) Put(k plugin.Kind, item []byte) error {
	if k.Group != group {
		return fmt.Errorf("%s is not a kind of Longhorn", k.Resource+"."+k.Group)
	}
	if err := r.put(k.Resource, item); err != nil {
		return fmt.Errorf("an object of %s cannot be read: %w", spelled(k.Resource), err)
	}
	return nil
}

func (r *Reader) put(resource string, item []byte) error {
	switch resource {
	case volumes:
		return shelve(r.volumes, item, newVolume)
	case engines:
		return shelve(r.engines, item, newEngine)
	case replicas:
		return r.keepReplica(item)
	case nodes:
		return keep(r.nodes, item, newNode)
	case settings:
		r.values = nil
		return keep(r.settings, item, newSetting)
	case attachments:
		return shelve(r.attachments, item, newAttachment)
	case managers:
		return keep(r.managers, item, newManager)
	case shares:
		return keep(r.shares, item, newShare)
	case engineImages:
		return keep(r.engineImages, item, newEngineImage)
	case backingImages:
		return keep(r.backingImages, item, newBackingImage)
	case orphans:
		return keep(r.orphans, item, newOrphan)
	case shardGroups:
		return keep(r.shardGroups, item, newShardGroup)
	default:
		return fmt.Errorf("the kind is not one that is read")
	}
}

// Drop forgets the object of that kind with that UID.
func (r *Reader) Drop(k plugin.Kind, uid cluster.UID) {
	if k.Group != group {
		return
	}
	switch k.Resource {
	case volumes:
		r.volumes.Drop(uid)
	case engines:
		r.engines.Drop(uid)
	case replicas:
		r.replicas.Drop(uid)
	case nodes:
		delete(r.nodes, uid)
	case settings:
		r.values = nil
		delete(r.settings, uid)
	case attachments:
		r.attachments.Drop(uid)
	case managers:
		delete(r.managers, uid)
	case shares:
		delete(r.shares, uid)
	case engineImages:
		delete(r.engineImages, uid)
	case backingImages:
		delete(r.backingImages, uid)
	case orphans:
		delete(r.orphans, uid)
	case shardGroups:
		delete(r.shardGroups, uid)
	}
}
