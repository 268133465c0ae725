// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// annotationApproved holds the latest approval, on the head. It is no part of
// the journal: the writer reads it, and writes down what it read. Whoever
// writes the head keeps what others have put there.
const annotationApproved = "safe-roll.io/approved"

// approval is its value.
type approval struct {
	Run  string          `json:"run"`
	Node cluster.NodeRef `json:"node"`
	By   string          `json:"by"`
}

// Approve puts the approval on the head, at the version that was read; a
// conflict is tried again.
func (b *Book) Approve(ctx context.Context, run string, node cluster.NodeRef, who string) error {
	value, err := json.Marshal(approval{Run: run, Node: node, By: who})
	if err != nil {
		return fmt.Errorf("encode the approval: %w", err)
	}
	for try := 0; ; try++ {
		h, err := b.readHead(ctx)
		if err != nil {
			return err
		}
		if h.cm == nil || h.run != run {
			return fmt.Errorf("%w: %s", record.ErrNoSuchRoll, run)
		}
		cm := h.cm.DeepCopy()
		metav1.SetMetaDataAnnotation(&cm.ObjectMeta, annotationApproved, string(value))
		_, err = request(ctx, b, func(ctx context.Context) (*corev1.ConfigMap, error) {
			return b.maps().Update(ctx, cm, metav1.UpdateOptions{FieldManager: ourName})
		})
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) || try+1 == attempts {
			return fmt.Errorf("write the approval: %w", explain(err))
		}
		if err := b.pause(ctx, try); err != nil {
			return err
		}
	}
}

// Approved reads the approval.
func (b *Book) Approved(ctx context.Context, run string, node cluster.NodeRef) (string, error) {
	h, err := b.readHead(ctx)
	if err != nil || h.cm == nil {
		return "", err
	}
	var a approval
	text := h.cm.Annotations[annotationApproved]
	if text == "" || json.Unmarshal([]byte(text), &a) != nil || a.Run != run || a.Node != node {
		return "", nil // none, or of another turn
	}
	return a.By, nil
}

var _ record.Approvals = (*Book)(nil)
