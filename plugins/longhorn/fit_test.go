// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestFit_SetsTagsAndReservedSpaceOfDisksAtTheSamePath(t *testing.T) {
	st := &cluster.Storage{Namespace: "longhorn-system"}
	n := cluster.StorageNode{Name: "w1", UID: "u1", Disks: []cluster.Disk{
		{Name: "default-disk-1.a", Path: "/var/lib/longhorn", Declared: true, Reserved: 7},
		{Name: "other", Path: "/mnt", Declared: true},
	}}
	c, err := Storage{}.Fit(st, n, cluster.StorageFittings{
		Tags: []string{"ssd"}, Disks: map[string]cluster.DiskFittings{
			"/var/lib/longhorn": {Tags: []string{"nvme"}, Reserved: 9}, "/gone": {Reserved: 1},
		},
	})
	if err != nil || len(c) != 1 || c[0].Object.UID != "u1" {
		t.Fatalf("%+v %v", c, err)
	}
	sameJSON(t, c[0].Patch, `{"spec":{"tags":["ssd"],"disks":{"default-disk-1.a":{"tags":["nvme"],"storageReserved":9}}}}`)
	if e := c[0].Expect; len(e) != 1 || e[0].Name != `spec.disks.default-disk-1\.a.storageReserved` || e[0].Value != "7" {
		t.Errorf("%+v", e)
	}
	if c, err := (Storage{}).Fit(st, n, cluster.StorageFittings{}); err != nil || len(c) != 0 {
		t.Errorf("nothing to set up: %+v %v", c, err)
	}
	if c, err := (Storage{}).Fit(st, cluster.StorageNode{Name: "w1"}, cluster.StorageFittings{Tags: []string{"a"}}); err == nil {
		t.Errorf("without a UID: %+v", c)
	}
}
