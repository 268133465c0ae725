// SPDX-License-Identifier: Apache-2.0

package cluster

import "unsafe"

// SameAs reports whether the volume is for certain what the other one is: equal
// in every field, with lists that are the same memory. Facts are never changed
// once they were handed out, so what shares its memory says the same. Two lists
// that do not may be alike all the same; nobody compares them.
func (v *Volume) SameAs(o *Volume) bool {
	return v.Name == o.Name && v.UID == o.UID && v.Handle == o.Handle && v.Class == o.Class &&
		v.Want == o.Want && v.Need == o.Need && v.Pinned == o.Pinned &&
		v.SharesNode == o.SharesNode && v.SharesZone == o.SharesZone && v.SharesDisk == o.SharesDisk && v.Spreads == o.Spreads &&
		SameList(v.NodeTags, o.NodeTags) && SameList(v.DiskTags, o.DiskTags) &&
		v.Medium == o.Medium && v.Runtime == o.Runtime && v.Base == o.Base &&
		v.Size == o.Size && v.Used == o.Used && v.State == o.State && SameList(v.Busy, o.Busy) && v.Touched == o.Touched && v.Mounted == o.Mounted &&
		v.Pause == o.Pause && v.NoRebuild == o.NoRebuild && v.CanRebuild == o.CanRebuild &&
		SameList(v.Hindered, o.Hindered) && v.SelfRebuild == o.SelfRebuild &&
		v.Engine == o.Engine && SameList(v.Replicas, o.Replicas) && SameList(v.Holds, o.Holds) && v.HoldsUID == o.HoldsUID &&
		SameList(v.Doubts, o.Doubts) && v.Created.Equal(o.Created)
}

// SameList reports whether the two are the same memory, or both are empty.
func SameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || unsafe.SliceData(a) == unsafe.SliceData(b))
}
