// SPDX-License-Identifier: Apache-2.0

package longhorn

import "github.com/safe-roll/kubectl-safe-roll/pkg/plugin"

const (
	group   = "longhorn.io"
	version = "v1beta2"

	volumes         = "volumes"
	engines         = "engines"
	replicas        = "replicas"
	nodes           = "nodes"
	settings        = "settings"
	attachments     = "volumeattachments"
	managers        = "instancemanagers"
	shares          = "sharemanagers"
	engineImages    = "engineimages"
	backingImages   = "backingimages"
	orphans         = "orphans"
	shardGroups     = "shardgroups"
	attachmentsKind = "VolumeAttachment"
)

// kinds lists what is read. Attachments exist from Longhorn 1.5 on, shard
// groups from 1.12.1 on; a server that does not know a kind has no object of
// it, so both are only helpful.
func kinds() []plugin.Kind {
	kind := func(resource, name string, need plugin.Need) plugin.Kind {
		return plugin.Kind{Group: group, Version: version, Resource: resource, Name: name, Need: need, Decides: true}
	}
	return []plugin.Kind{
		kind(volumes, "Volume", plugin.Needed),
		kind(engines, "Engine", plugin.Needed),
		kind(replicas, "Replica", plugin.Needed),
		kind(nodes, "Node", plugin.Needed),
		kind(settings, "Setting", plugin.Helpful),
		kind(attachments, attachmentsKind, plugin.Helpful),
		kind(managers, "InstanceManager", plugin.Helpful),
		kind(shares, "ShareManager", plugin.Helpful),
		kind(engineImages, "EngineImage", plugin.Helpful),
		kind(backingImages, "BackingImage", plugin.Helpful),
		kind(orphans, "Orphan", plugin.Helpful),
		kind(shardGroups, "ShardGroup", plugin.Helpful),
	}
}

// kindOf returns the kind of that resource.
func kindOf(resource string) plugin.Kind {
	for _, k := range kinds() {
		if k.Resource == resource {
			return k
		}
	}
	return plugin.Kind{Group: group, Version: version, Resource: resource}
}

// spelled is the resource with its group, as RBAC and kubectl spell it.
func spelled(resource string) string { return resource + "." + group }
