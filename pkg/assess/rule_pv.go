// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// pvFindings closes the references from PersistentVolumes: a volume that is
// missing is not a volume that is fine.
func (w *world) pvFindings() []Finding {
	volumes := make(map[pvKey]bool)
	for i := range w.storages {
		st := w.storages[i].facts
		for k := range st.Volumes {
			volumes[pvKeyOf(st, &st.Volumes[k])] = true
		}
	}
	var out []Finding
	local, foreign := 0, newByName()
	for i := range w.snap.Persistent {
		pv := &w.snap.Persistent[i]
		switch {
		case pv.Local:
			local++
		case !ours(w.snap, pv.Driver):
			foreign.add(pv.Driver)
		case !volumes[pvKey{pv.Driver, pv.Handle}]:
			out = append(out, pvWithoutVolume(pv))
		}
	}
	if local > 0 {
		out = append(out, Finding{Code: PVLocal, Subject: Subject{Kind: "PersistentVolume"},
			Message:  fmt.Sprintf("%d PersistentVolumes lie on one node each (local or host path) and are not verified.", local),
			Evidence: []cluster.Fact{fact("persistentvolumes", strconv.Itoa(local))}})
	}
	for _, d := range foreign.names {
		out = append(out, Finding{Code: PVNotVerified, Subject: Subject{Kind: "Driver", Name: d},
			Message:  fmt.Sprintf("%d PersistentVolumes of %s are not verified: no plugin knows it.", foreign.counts[d], driverName(d)),
			Evidence: []cluster.Fact{fact("persistentvolumes", strconv.Itoa(foreign.counts[d]))}})
	}
	return out
}

func driverName(d string) string {
	if d == "" {
		return "no CSI driver"
	}
	return "driver " + d
}

func pvWithoutVolume(pv *cluster.PersistentVolume) Finding {
	f := Finding{Code: PVNoVolume, Severity: Unclear, Subject: Subject{Kind: "PersistentVolume", Name: pv.Name},
		Message:  fmt.Sprintf("PersistentVolume %s (claim %s/%s) refers to volume %s, which its storage does not have.", pv.Name, pv.ClaimNamespace, pv.ClaimName, pv.Handle),
		Evidence: []cluster.Fact{fact("pv.driver", pv.Driver), fact("pv.handle", pv.Handle)}}
	if pv.Deleting {
		f.Severity = Note
	}
	return f
}

// byName counts names in the order in which they first came.
type byName struct {
	names  []string
	counts map[string]int
}

func newByName() *byName { return &byName{counts: map[string]int{}} }

func (b *byName) add(name string) {
	if b.counts[name] == 0 {
		b.names = append(b.names, name)
	}
	b.counts[name]++
}
