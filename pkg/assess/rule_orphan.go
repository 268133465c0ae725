// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// An orphan is a replica's directory that no replica object names: left over,
// or the last copy of a volume whose objects were lost. Nothing here counts it
// as a copy; it only keeps a node.

// orphansNote says that there are some, so that nobody cleans up meanwhile.
func (w *world) orphansNote(st *storageWorld) []Finding {
	if len(st.facts.Orphans) == 0 {
		return nil
	}
	names := make([]string, 0, len(st.facts.Orphans))
	for i := range st.facts.Orphans {
		o := &st.facts.Orphans[i]
		names = append(names, o.Directory+" on "+o.Node)
	}
	return []Finding{{Code: OrphanKept, Subject: Subject{Kind: "Storage", Name: st.facts.Driver},
		Message: fmt.Sprintf("%d directories on the disks of storage %s belong to no replica: delete none of them before every volume is whole.",
			len(names), st.facts.Driver),
		Evidence: few("orphan", names)}}
}

// orphansOn says which orphans on the node may still be needed: those of a
// volume that has fewer good replicas elsewhere than it shall have, and those
// of which nobody knows whose they are.
func (j *Judgement) orphansOn(ref cluster.NodeRef) []Finding {
	var out []Finding
	for i := range j.Snapshot.Storages {
		st := &j.Snapshot.Storages[i]
		for k := range st.Orphans {
			o := &st.Orphans[k]
			if o.Node != ref.Name && o.Node != "" {
				continue
			}
			subject := Subject{Kind: "Orphan", Namespace: st.Namespace, Name: o.Name}
			facts := []cluster.Fact{fact("orphan.directory", o.Directory), fact("orphan.disk", o.DiskUUID), fact("orphan.volume", o.Volume)}
			vj := j.volumeOf(st.Driver, o.Volume)
			switch {
			case o.Volume == "" || o.Node == "":
				out = append(out, j.acceptable(Finding{Code: OrphanUnknown, Severity: Unclear, Subject: subject, Evidence: facts,
					Message: fmt.Sprintf("Directory %s on node %s belongs to no replica, and whose data it holds cannot be told.", o.Directory, ref.Name)}))
			case vj == nil || vj.Condition == Going:
				// Nothing that exists can ask for it.
			case count(vj.Volume, vj.Replicas, ref.Name).good < vj.Volume.Want:
				say := volumeVoice{vj: vj, namespace: st.Namespace}
				f := say.finding(OrphanLastResort, Danger,
					fmt.Sprintf("%s has a directory on node %s that no replica names (%s), and fewer than %d good replicas elsewhere: it may be needed to salvage from.",
						"%s", ref.Name, o.Directory, vj.Volume.Want), facts...)
				out = append(out, f)
			}
		}
	}
	return out
}

// volumeOf returns the judgement of a storage's volume, or nil.
func (j *Judgement) volumeOf(driver, name string) *VolumeJudgement {
	if vj := j.Volume(name); vj == nil || vj.Driver == driver {
		return vj
	}
	for i := range j.Volumes {
		if vj := &j.Volumes[i]; vj.Driver == driver && vj.Volume.Name == name {
			return vj
		}
	}
	return nil
}

// orphanOn reports whether the node may hold an orphan of the volume.
func (j *Judgement) orphanOn(driver, volume, node string) bool {
	st := j.Snapshot.Storage(driver)
	return st != nil && slices.ContainsFunc(st.Orphans, func(o cluster.Orphan) bool {
		return (o.Node == node || o.Node == "") && (o.Volume == volume || o.Volume == "")
	})
}

// few are the names as evidence: the first of them, and how many there are.
func few(name string, values []string) []cluster.Fact {
	const most = 20
	out := []cluster.Fact{fact(name+"s", strconv.Itoa(len(values)))}
	for i, v := range values {
		if i == most {
			break
		}
		out = append(out, fact(name, v))
	}
	return out
}
