// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"strconv"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	page     = 500
	parallel = 6
	askLimit = 20 * time.Minute
)

// lists are the paths of all lists that verify reads.
func lists() []string {
	out := []string{
		"/api/v1/nodes", "/api/v1/persistentvolumes", "/api/v1/pods", "/apis/policy/v1/poddisruptionbudgets",
		"/apis/storage.k8s.io/v1/volumeattachments", "/apis/coordination.k8s.io/v1/namespaces/" + leases + "/leases", "/apis/apps/v1/daemonsets",
	}
	for _, kind := range []string{
		"replicas", "volumes", "engines", "nodes", "settings", "volumeattachments", "instancemanagers", "sharemanagers",
		"engineimages", "backingimages", "shardgroups", "orphans",
	} {
		out = append(out, "/apis/longhorn.io/v1beta2/"+kind)
	}
	return out
}

// caughtUp waits until the API server knows all of what was written straight into its
// etcd: until then it refuses lists, as of a version that is too large.
func caughtUp(ctx context.Context, cfg *rest.Config) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 5*time.Second, askLimit, true, func(ctx context.Context) (bool, error) {
		last = Floor(ctx, cfg)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the API server has not caught up with etcd: %w: %w", err, last)
	}
	return nil
}

// Floor downloads every list that verify reads, as verify reads it (pages of
// 500, six lists at once), and throws it away.
func Floor(ctx context.Context, cfg *rest.Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, askLimit, fmt.Errorf("limit of %s passed", askLimit))
	defer cancel()
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	paths, failed := make(chan string), make(chan error)
	for range parallel {
		go func() {
			for path := range paths {
				failed <- discard(ctx, client.Discovery().RESTClient(), path)
			}
		}()
	}
	go func() {
		defer close(paths)
		for _, path := range lists() {
			paths <- path
		}
	}()
	for range lists() {
		if e := <-failed; e != nil && err == nil {
			err = e
		}
	}
	return err
}

// discard downloads one list, page by page.
func discard(ctx context.Context, client rest.Interface, path string) error {
	for next := ""; ; {
		body, err := client.Get().AbsPath(path).Param("limit", strconv.Itoa(page)).Param("continue", next).
			SetHeader("Accept", "application/json").Stream(ctx)
		if err != nil {
			if path == "/apis/longhorn.io/v1beta2/shardgroups" {
				return nil // this Longhorn has none
			}
			return fmt.Errorf("%s: %w", path, err)
		}
		next, err = drain(body)
		if err := body.Close(); err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if next == "" {
			return nil
		}
	}
}

// Typed asks as a program does that uses Longhorn's clientset and nothing else:
// it keeps every object, and counts the replicas that were healthy and have not
// failed on nodes that exist. It returns the volumes that seem not to be whole.
func Typed(ctx context.Context, cfg *rest.Config) ([]string, error) {
	client, err := lhclient.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	lh := client.LonghornV1beta2()
	var volumes []longhorn.Volume
	if err := pages(func(o metav1.ListOptions) (string, error) {
		l, err := lh.Volumes(system).List(ctx, o)
		if err != nil {
			return "", err
		}
		volumes = append(volumes, l.Items...)
		return l.Continue, nil
	}); err != nil {
		return nil, err
	}
	var replicas []longhorn.Replica
	if err := pages(func(o metav1.ListOptions) (string, error) {
		l, err := lh.Replicas(system).List(ctx, o)
		if err != nil {
			return "", err
		}
		replicas = append(replicas, l.Items...)
		return l.Continue, nil
	}); err != nil {
		return nil, err
	}
	var engines []longhorn.Engine
	if err := pages(func(o metav1.ListOptions) (string, error) {
		l, err := lh.Engines(system).List(ctx, o)
		if err != nil {
			return "", err
		}
		engines = append(engines, l.Items...)
		return l.Continue, nil
	}); err != nil {
		return nil, err
	}
	nodes, err := lh.Nodes(system).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	live := map[string]bool{}
	for _, n := range nodes.Items {
		live[n.Name] = true
	}
	good := map[string]int{}
	for _, r := range replicas {
		if r.Spec.HealthyAt != "" && r.Spec.FailedAt == "" && live[r.Spec.NodeID] {
			good[r.Spec.VolumeName]++
		}
	}
	var bad []string
	for _, v := range volumes {
		if good[v.Name] < v.Spec.NumberOfReplicas {
			bad = append(bad, v.Name)
		}
	}
	return bad, nil
}

func pages(list func(metav1.ListOptions) (string, error)) error {
	o := metav1.ListOptions{Limit: page}
	for {
		next, err := list(o)
		if err != nil || next == "" {
			return err
		}
		o.Continue = next
	}
}
