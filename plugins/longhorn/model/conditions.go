// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// setCondition sets a condition by type; the transition time moves only with
// the status.
func (m *Model) setCondition(o Object, list *[]longhorn.Condition, c longhorn.Condition) {
	for i := range *list {
		old := &(*list)[i]
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status && old.Reason == c.Reason && old.Message == c.Message {
			return
		}
		c.LastTransitionTime = old.LastTransitionTime
		if old.Status != c.Status {
			c.LastTransitionTime = m.stamp()
		}
		*old = c
		m.touch(o)
		return
	}
	c.LastTransitionTime = m.stamp()
	*list = append(*list, c)
	m.touch(o)
}

func condition(list []longhorn.Condition, kind string) longhorn.Condition {
	for _, c := range list {
		if c.Type == kind {
			return c
		}
	}
	return longhorn.Condition{Type: kind, Status: longhorn.ConditionStatusUnknown}
}

func isTrue(list []longhorn.Condition, kind string) bool {
	return condition(list, kind).Status == longhorn.ConditionStatusTrue
}
