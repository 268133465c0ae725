// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// strayShards lists the shard groups of which nobody can say which volume's
// they are, sorted by name.
func (j *join) strayShards() []*shardGroup {
	return slices.DeleteFunc(sortedBy(j.shardGroups, func(g *shardGroup) string { return g.Name }),
		func(g *shardGroup) bool { return j.known(g.volume) || g.Deleted != nil })
}

// shardedVolume reports whether the volume's data are shards, or may be: one
// without a replica while there are shards that belong to nobody, or none that
// were read though there may be some.
func (j *join) shardedVolume(v *volume, replicas int) bool {
	unlisted := len(j.shardGroups) == 0 && mediumOf(v.DataEngine) == block && j.knowsShards()
	return j.sharded[v.Name] || replicas == 0 && (len(j.stray) > 0 || unlisted)
}

// knowsShards reports whether this Longhorn has shard groups: from v1.12.1 on.
func (j *join) knowsShards() bool {
	word, _ := j.version()
	minor, ok := minorOf(word)
	return ok && (minor > newestMinor || minor == newestMinor && !strings.HasPrefix(strings.TrimPrefix(word, "v"), "1.12.0"))
}

// storageDoubts collects what is odd about the storage as a whole: shards that
// belong to nobody, and a setting that deletes what may still be needed.
func (j *join) storageDoubts() []cluster.Doubt {
	var out []cluster.Doubt
	for _, g := range j.stray {
		out = append(out, doubt(codeSharded, cluster.StandingUnknown, "shardGroup", g.Name, "volume", g.volume))
	}
	for _, name := range []string{"orphan-auto-deletion", "orphan-resource-auto-deletion"} {
		if value := j.settings[name]; deletesData(value) {
			out = append(out, doubt(codeOrphanDeletion, cluster.StandingGood, name, value))
		}
	}
	return out
}

// deletesData reports whether orphaned directories are deleted: a boolean up to
// Longhorn 1.8, a list of what is deleted from 1.9 on (Longhorn v1.12.0
// types/setting.go, UnmarshalOrphanResourceTypes).
func deletesData(value string) bool {
	return value == "true" || slices.ContainsFunc(strings.Split(value, ";"), func(s string) bool {
		return strings.TrimSpace(s) == "replica-data"
	})
}
