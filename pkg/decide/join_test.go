// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func TestJoin_WaitsForStorageAndHaltsOnTheOldDisk(t *testing.T) {
	f, _ := gone()
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	sn := &f.storage().Nodes[2]
	n := &f.s.Nodes[2]
	n.Created = f.now
	f.look()
	sn.Serving = cluster.No
	wantWait(t, f.next(), decide.Join)
	sn.Serving, sn.Disks[0].UUID = cluster.Yes, "disk1"
	wantWait(t, f.next(), decide.Join)
	f.pass(time.Hour) // what was known of the former one may live on for long
	if w := wantWait(t, f.next(), decide.Join); !strings.Contains(w.Stuck, "empty disk") {
		t.Errorf("stuck: %q", w.Stuck)
	}
	sn.Reported, sn.Ready = n.Created.Add(time.Minute), cluster.No
	wantWait(t, f.next(), decide.Join) // others wrote that it is not there
	sn.Ready = cluster.Yes
	if h := wantHalt(t, f.next(), decide.ExitUnsafe); h.Findings[0].Code != decide.CodeOldDisk {
		t.Errorf("%+v", h)
	}
	sn.Reported, sn.Created = time.Time{}, n.Created
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

// On Longhorn 1.8.1 a machine that joins under the same name within seconds is
// never made known: its manager found the dying object of the former one.
func TestJoin_SaysWhatToDoWhereTheStorageNeverKnowsTheNode(t *testing.T) {
	f, _ := gone()
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	f.storage().Nodes = f.storage().Nodes[:2]
	f.look()
	w := wantWait(t, f.next(), decide.Join)
	if !strings.Contains(w.Stuck, "restart the storage's own pods") {
		t.Errorf("stuck: %q", w.Stuck)
	}
}
