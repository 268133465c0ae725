// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// flushPods makes the instance-manager pods that are missing, and deletes those
// whose instance manager is gone, as Longhorn's controller does without waiting
// for the garbage collector.
func (s *Standin) flushPods(ctx context.Context) error {
	s.mu.Lock()
	wanted := s.model.Pods()
	owners := map[types.UID]bool{}
	for _, im := range s.model.List(model.InstanceManagers) {
		e := s.entries[model.Ref{Kind: model.InstanceManagers, Name: im.GetName()}]
		owners[im.GetUID()] = e != nil && e.base.GetUID() == im.GetUID()
	}
	s.mu.Unlock()
	failed := s.deleteOrphans(ctx, owners)
	for _, p := range wanted {
		if !owners[p.Owner] {
			continue // the instance manager itself has not been written yet
		}
		if _, err := s.watched.kube.Core().V1().Pods().Lister().Pods(Namespace).Get(p.Name); err == nil {
			continue
		}
		_, err := s.kube.CoreV1().Pods(Namespace).Create(ctx, managerPod(p), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			failed = errors.Join(failed, fmt.Errorf("instance manager of %s: %w", p.Node, err))
		}
	}
	return failed
}

func (s *Standin) deleteOrphans(ctx context.Context, owners map[types.UID]bool) error {
	have, err := s.watched.kube.Core().V1().Pods().Lister().Pods(Namespace).List(labels.SelectorFromSet(labels.Set{"longhorn.io/component": "instance-manager"}))
	if err != nil {
		return fmt.Errorf("instance-manager pods: %w", err)
	}
	var failed error
	for _, p := range have {
		owned := false
		if o := metav1.GetControllerOf(p); o != nil {
			_, owned = owners[o.UID]
		}
		if owned || p.DeletionTimestamp != nil {
			continue
		}
		err := s.kube.CoreV1().Pods(Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &p.UID}})
		failed = errors.Join(failed, notFoundIsFine(err))
	}
	return failed
}

func managerPod(p model.Pod) *corev1.Pod {
	yes := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: p.Name, Namespace: Namespace, Labels: p.Labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "longhorn.io/v1beta2", Kind: "InstanceManager", Name: p.Name, UID: p.Owner, Controller: &yes, BlockOwnerDeletion: &yes,
			}},
		},
		Spec: corev1.PodSpec{
			NodeName: p.Node, ServiceAccountName: hollow.ServiceAccount, PriorityClassName: "longhorn-critical",
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "instance-manager", Image: p.Image}},
			Tolerations:   []corev1.Toleration{{Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
		},
	}
}

// flushBudgets makes the instance managers' disruption budgets be those that
// the drain policy leaves.
func (s *Standin) flushBudgets(ctx context.Context) error {
	s.mu.Lock()
	wanted := map[string]model.Budget{}
	for _, b := range s.model.Budgets() {
		wanted[b.Name] = b
	}
	s.mu.Unlock()
	have, err := s.watched.kube.Policy().V1().PodDisruptionBudgets().Lister().PodDisruptionBudgets(Namespace).List(labels.Everything())
	if err != nil {
		return fmt.Errorf("disruption budgets: %w", err)
	}
	budgets := s.kube.PolicyV1().PodDisruptionBudgets(Namespace)
	var failed error
	for _, b := range have {
		if b.Spec.Selector == nil || b.Spec.Selector.MatchLabels["longhorn.io/component"] != "instance-manager" {
			continue
		}
		if _, ok := wanted[b.Name]; ok {
			delete(wanted, b.Name)
			continue
		}
		if b.DeletionTimestamp == nil {
			err := budgets.Delete(ctx, b.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &b.UID}})
			failed = errors.Join(failed, notFoundIsFine(err))
		}
	}
	for _, b := range wanted {
		one := intstr.FromInt32(1)
		_, err := budgets.Create(ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: b.Name, Namespace: Namespace},
			Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: b.Labels}},
		}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			failed = errors.Join(failed, fmt.Errorf("disruption budget %s: %w", b.Name, err))
		}
	}
	return failed
}
