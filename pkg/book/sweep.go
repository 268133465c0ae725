// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sweepTries bounds how often old segments are looked for.
const sweepTries = 3

// sweep deletes the segments of former runs. That it fails harms nothing: the
// next Append tries again, a few times, and the next roll once more.
//
// The head is read after the list: as long as it is ours, whoever takes over
// has written no segment yet, so none of the listed ones is theirs. Each is
// deleted by UID.
func (b *Book) sweep(ctx context.Context) {
	if b.desk.sweeps == 0 || b.desk.head.run == "" {
		return
	}
	b.desk.sweeps--
	old, err := listSegments(ctx, b, labelRun+"!="+b.desk.head.run, func(cm *corev1.ConfigMap) corev1.ConfigMap {
		return corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: cm.Name, UID: cm.UID}}
	})
	if err != nil {
		return
	}
	if len(old) > 0 && b.stillOurs(ctx) != nil {
		return
	}
	for _, cm := range old {
		if b.drop(ctx, cm) != nil {
			return
		}
	}
	b.desk.sweeps = 0
}

func (b *Book) drop(ctx context.Context, cm corev1.ConfigMap) error {
	_, err := request(ctx, b, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.maps().Delete(ctx, cm.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &cm.UID}})
	})
	if err != nil && classify(err) != absent && classify(err) != clash {
		return err
	}
	return nil
}
