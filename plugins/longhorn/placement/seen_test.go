// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// What the tests of this file claim was seen with Longhorn's own scheduler (see
// docs/forecast.md).

// A replica on another disk of the node counts as promised of this one too
// (seen with Longhorn's own scheduler).
func TestPlace_AReplicaBesideTakesSpaceTwice(t *testing.T) {
	for scheduled, fits := range map[int64]bool{80: true, 81: false} {
		s, st := cluster4()
		st.Nodes[2].Placement.Accept, st.Nodes[3].Placement.Accept = false, false
		second := st.Nodes[1].Disks[0]
		second.Name, second.UUID, second.Scheduled = "second", "second", scheduled*gib
		st.Nodes[1].Disks = append(st.Nodes[1].Disks, second)
		v := volume("v", "w1", "w2")
		v.SharesNode, v.SharesDisk = cluster.Yes, cluster.No
		st.Volumes = []cluster.Volume{v}
		if got := placed(s, st); len(got) != 1 || (got[0].Node == "w2") != fits {
			t.Errorf("%d GiB promised: placed %+v, want on w2: %t", scheduled, got, fits)
		}
	}
}

// Where nodes may be shared, Longhorn asks no tags of those that hold a replica.
func TestPlace_ASharedNodeNeedsNoTags(t *testing.T) {
	s, st := cluster4()
	for _, i := range []int{1, 3} {
		st.Nodes[i].Placement.Accept = false
	}
	v := volume("v", "w1", "w3")
	v.NodeTags, v.SharesNode = []string{"ssd"}, cluster.Yes
	st.Volumes = []cluster.Volume{v}
	if got := placed(s, st); len(got) != 1 || got[0].Node != "w3" {
		t.Errorf("placed %+v, want w3", got)
	}
	st.Volumes[0].SharesNode = cluster.No
	if got := placed(s, st); len(got) != 1 || got[0].Node != "" || !strings.Contains(got[0].Why, "w3 has not the volume's node tags") {
		t.Errorf("placed %+v, want nowhere", got)
	}
}

func TestPlace_TheDiskWithMostFreeSpaceIsTakenWhateverIsPromised(t *testing.T) {
	s, st := cluster4()
	st.Nodes[3].Disks[0].Available, st.Nodes[3].Disks[0].Scheduled = 95*gib, 80*gib
	st.Volumes = []cluster.Volume{volume("v", "w1", "w2")}
	if got := placed(s, st); len(got) != 1 || got[0].Node != "w4" {
		t.Errorf("placed %+v, want w4", got)
	}
}

// A failed replica that is rebuilt where it lies takes its place again, also
// while the volume is attached.
func TestPlace_AReplicaThatIsRebuiltWhereItLiesTakesItsPlace(t *testing.T) {
	s, st := cluster4()
	st.Nodes[3].Placement.Accept = false
	v := volume("v", "w1", "w3", "w2")
	v.State, v.Replicas[2].Claim = cluster.Attached, cluster.Failed
	st.Volumes = []cluster.Volume{v}
	if got := placed(s, st); len(got) != 1 || got[0].Node != "" {
		t.Errorf("placed %+v, want nowhere: w2 and w3 hold one each", got)
	}
}
