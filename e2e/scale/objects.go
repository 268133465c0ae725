// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"iter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	system    = "longhorn-system"
	users     = "jupyter"
	lhVersion = "v1.8.1"
	engineIs  = "longhornio/longhorn-engine:" + lhVersion
	managerIs = "longhornio/longhorn-instance-manager:" + lhVersion
	dataPath  = "/var/lib/longhorn/"
	gib       = int64(1) << 30
	// size is of each volume.
	size = 10 * gib
)

// born is when everything was made, in fixed distances before now, so that
// nothing looks younger than what was written to it.
func born(ago time.Duration) metav1.Time {
	return metav1.NewTime(time.Now().UTC().Add(-ago).Truncate(time.Second))
}

const (
	ageOfNodes   = 90 * 24 * time.Hour
	ageOfVolumes = 60 * 24 * time.Hour
)

// objects yields every object of the cluster with its key in etcd.
func (s Shape) objects() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, part := range []iter.Seq[made]{s.nodes(), s.settings(), s.volumes()} {
			for m := range part {
				value, err := stored(m.object, m.manager)
				if err != nil {
					panic(err) // objects of our own types always encode
				}
				if !yield(entry{key: "/registry/" + m.key, value: value}) {
					return
				}
			}
		}
	}
}

// made is an object, its key below /registry/ and who wrote it.
type made struct {
	key     string
	object  any
	manager string
}

func longhornKey(resource, name string) string {
	return "longhorn.io/" + resource + "/" + system + "/" + name
}

// meta is the metadata of an object of that name and age.
func meta(namespace, name string, age time.Duration, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(id(namespace+"/"+name, 0)), Generation: 2,
		CreationTimestamp: born(age), Labels: labels,
	}
}

// renewed is when the leases were last renewed; Renew moves it on.
func renewed() metav1.MicroTime { return metav1.NewMicroTime(time.Now().UTC()) }
