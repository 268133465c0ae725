// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func baseCases() []volumeCase {
	return []volumeCase{
		{"an image that is not listed cannot be read", atRest2, func(l *lab) { l.v("data").Base = "image" }, ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image with a copy can be read", atRest2, withBase("disk-w3", cluster.Yes, nil), Whole, nil, safe},
		{"an image whose copy was last seen by the machine before cannot be read", atRest2, onNewNode(ago(2 * time.Hour)), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image whose copy is as old as its node cannot be read", atRest2, onNewNode(ago(time.Hour - 9*time.Second)), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image whose copy was seen on the machine that is there can be read", atRest2, onNewNode(ago(time.Hour - 11*time.Second)), Whole, nil, safe},
		{"an image whose copy does not say when it was seen cannot be read on a node that has nothing else", atRest2, onNewNode(time.Time{}), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image whose copy was seen in times to come cannot be read", atRest2, onNewNode(ago(-11 * time.Second)), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image that is younger than its node has no copies of before", atRest2, then(onNewNode(ago(time.Hour-3*time.Second)), func(l *lab) { l.st().Bases[0].Created = ago(time.Hour - 5*time.Second) }), Whole, nil, safe},
		{"an image that came out of a backup has", atRest2, then(onNewNode(ago(2*time.Hour)), func(l *lab) { l.st().Bases[0].Created = ago(time.Minute) }), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image whose copy was seen before a machine was retired cannot be read", atRest2,
			withBase("disk-w3", cluster.Yes, func(l *lab) { retired("w3", "uid-before", ago(9*time.Hour))(l) }), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image is seen where a replica upon it was healthy", atRest2, withBase("disk-w1", cluster.Yes, func(l *lab) { l.copy(0).ReadyAt = time.Time{} }), Whole, nil, safe},
		{"an image is not seen where a replica upon it was healthy on the machine before", atRest3, withBase("disk-w3", cluster.Yes, func(l *lab) {
			l.copy(0).ReadyAt = time.Time{}
			l.v("data").Want, l.node("w3").Created = 2, ago(time.Hour)
		}), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image whose copy is not ready cannot be read", atRest2, withBase("disk-w3", cluster.Unknown, nil), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image on a node that is gone cannot be read", atRest2, withBase("disk-w3", cluster.Yes, func(l *lab) { l.remove("w3") }), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image on a disk that is not ready cannot be read", atRest2, withBase("disk-w3", cluster.Yes, func(l *lab) { l.disk("w3").Ready = cluster.No }), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image on a silent node cannot be read", atRest2, withBase("disk-w3", cluster.Yes, func(l *lab) { l.node("w3").Ready = cluster.No }), ConditionUnknown, []string{VolumeNoBase}, dunno},
		{"an image on a storage node that is not ready cannot be read", atRest2, withBase("disk-w3", cluster.Yes, func(l *lab) { l.sn("w3").Ready = cluster.No }), ConditionUnknown, []string{VolumeNoBase}, dunno},
	}
}

func withBase(disk string, ready cluster.Answer, more func(*lab)) func(*lab) {
	return func(l *lab) {
		l.v("data").Base = "image"
		l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: disk, Ready: ready, ReadyAt: ago(10 * time.Hour)}}}}
		if more != nil {
			more(l)
		}
	}
}

// onNewNode has the image's only copy be seen at that time on a node which was
// made an hour ago.
func onNewNode(seen time.Time) func(*lab) {
	return withBase("disk-w3", cluster.Yes, func(l *lab) { l.node("w3").Created, l.copy(0).ReadyAt = ago(time.Hour), seen })
}

func (l *lab) copy(i int) *cluster.BaseCopy { return &l.st().Bases[0].Copies[i] }
