// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

// childEnv makes the test binary play the program that is killed in
// TestStart_NothingOutlivesAKilledParent.
const childEnv = "BENCH_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child starts a cluster, says so, and waits to be killed.
func child(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	bin, err := bench.Build(ctx, os.Stderr)
	if err == nil {
		_, err = bench.Start(ctx, bench.Options{Binaries: bin, Dir: dir})
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	os.Stdout.WriteString("started\n")
	<-ctx.Done()
	return 0
}

func build(t *testing.T) bench.Binaries {
	t.Helper()
	bin, err := bench.Build(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestKubectl_WorksWithTheKubeconfigOfTheCluster(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	out, err := exec.CommandContext(t.Context(), build(t).Kubectl, "--kubeconfig", c.Kubeconfig(), "get", "namespaces", "-o", "name").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "namespace/kube-system") {
		t.Errorf("kubectl get namespaces: %v: %s", err, out)
	}
}

func start(t *testing.T) (*bench.Cluster, kubernetes.Interface) {
	t.Helper()
	bin := build(t)
	began := time.Now()
	c, err := bench.Start(t.Context(), bench.Options{Binaries: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s: %s", time.Since(began).Round(10*time.Millisecond), c.Dir())
	t.Cleanup(func() {
		c.Stop()
		if t.Failed() {
			t.Logf("logs: %s", c.Logs())
			return
		}
		if err := c.Destroy(); err != nil {
			t.Error(err)
		}
	})
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

func TestStart_AControlPlaneThatTakesPodsAndKnowsUsers(t *testing.T) {
	t.Parallel()
	c, client := start(t)
	ctx := t.Context()
	if v, err := client.Discovery().ServerVersion(); err != nil || !strings.HasPrefix(v.GitVersion, "v1.35.") || v.Minor != "35" {
		t.Errorf("version of the server: %v, %v", v, err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{
		PriorityClassName: "system-node-critical",
		Containers:        []corev1.Container{{Name: "c", Image: "none"}},
	}}
	if _, err := client.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// The scheduler is alive: it says that there is no node.
	eventually(t, "the pod to be found unschedulable", func() bool {
		p, err := client.CoreV1().Pods("default").Get(ctx, "p", metav1.GetOptions{})
		return err == nil && len(p.Status.Conditions) > 0 && p.Status.Conditions[0].Reason == corev1.PodReasonUnschedulable
	})

	cfg, err := c.UserConfig("alice", "ops")
	if err != nil {
		t.Fatal(err)
	}
	alice := kubernetes.NewForConfigOrDie(cfg)
	if _, err := alice.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("a user without roles lists nodes: %v", err)
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "nodes"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"list"}}}}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "alice"},
		RoleRef:  rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "nodes"},
		Subjects: []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "User", Name: "alice"}}}
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "alice to list nodes", func() bool {
		_, err := alice.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		return err == nil
	})
}

func TestAPIServer_StopsAndComesBackWithItsData(t *testing.T) {
	t.Parallel()
	c, client := start(t)
	ctx := t.Context()
	if _, err := client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.StopAPIServer()
	if _, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err == nil {
		t.Fatal("a stopped API server answers")
	}
	if err := c.StartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}
