// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Reader collects Longhorn's objects, each reduced to what is needed, by UID.
type Reader struct {
	volumes       map[cluster.UID]*volume
	engines       map[cluster.UID]*engine
	replicas      map[cluster.UID]*replica
	nodes         map[cluster.UID]*node
	settings      map[cluster.UID]*setting
	attachments   map[cluster.UID]*attachment
	managers      map[cluster.UID]*manager
	shares        map[cluster.UID]*share
	engineImages  map[cluster.UID]*engineImage
	backingImages map[cluster.UID]*backingImage
	orphans       map[cluster.UID]*orphan
	shardGroups   map[cluster.UID]*shardGroup
}

// NewReader returns an empty Reader.
func NewReader() *Reader {
	return &Reader{
		volumes:       map[cluster.UID]*volume{},
		engines:       map[cluster.UID]*engine{},
		replicas:      map[cluster.UID]*replica{},
		nodes:         map[cluster.UID]*node{},
		settings:      map[cluster.UID]*setting{},
		attachments:   map[cluster.UID]*attachment{},
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

// keepReplica keeps of a replica that cannot be decoded that its volume has it:
// one of which nothing is known is not one that is lost.
func (r *Reader) keepReplica(item []byte) error {
	err := keep(r.replicas, item, newReplica)
	if err == nil {
		return nil
	}
	if x := unread(item, err); x != nil {
		r.replicas[x.key()] = x
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
		return keep(r.volumes, item, newVolume)
	case engines:
		return keep(r.engines, item, newEngine)
	case replicas:
		return r.keepReplica(item)
	case nodes:
		return keep(r.nodes, item, newNode)
	case settings:
		return keep(r.settings, item, newSetting)
	case attachments:
		return keep(r.attachments, item, newAttachment)
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
		delete(r.volumes, uid)
	case engines:
		delete(r.engines, uid)
	case replicas:
		delete(r.replicas, uid)
	case nodes:
		delete(r.nodes, uid)
	case settings:
		delete(r.settings, uid)
	case attachments:
		delete(r.attachments, uid)
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
