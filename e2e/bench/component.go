// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"path/filepath"
	"strconv"
	"time"
)

// The parts, by the names that the program knows them under.
const (
	etcd       = "etcd"
	apiServer  = "kube-apiserver"
	controller = "kube-controller-manager"
	scheduler  = "kube-scheduler"
)

// ports of one cluster.
type ports struct {
	etcd, etcdPeer, api int
}

// etcdArgs: one member. A bench that survives its machine's power failure is of
// no use, so nothing is synced to disk, which makes writes many times faster.
func (c *Cluster) etcdArgs() []string {
	client, peer := "http://"+loopback(c.ports.etcd), "http://"+loopback(c.ports.etcdPeer)
	return []string{
		"--name=bench",
		"--data-dir=" + filepath.Join(c.dir, etcd),
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=bench=" + peer,
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

// apiServerArgs: RBAC alone decides (the nodes of a bench are not real enough
// for the Node authorizer), admission is the default one. Aggregation is left
// out, and so is the endpoint of the service "kubernetes", which may not be a
// loopback address.
func (c *Cluster) apiServerArgs() []string {
	listen := "127.0.0.1"
	if c.opts.Address != nil {
		listen = "0.0.0.0"
	}
	pki := filepath.Join(c.dir, "pki")
	return []string{
		"--etcd-servers=http://" + loopback(c.ports.etcd),
		"--bind-address=" + listen, "--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.ports.api),
		"--cert-dir=" + pki,
		"--tls-cert-file=" + filepath.Join(pki, "server.crt"),
		"--tls-private-key-file=" + filepath.Join(pki, "server.key"),
		"--client-ca-file=" + filepath.Join(pki, "ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + filepath.Join(pki, "sa.key"),
		"--service-account-signing-key-file=" + filepath.Join(pki, "sa.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=RBAC",
		"--endpoint-reconciler-type=none",
		"--allow-privileged=true",
		"--profiling=false",
	}
}

// controllerArgs: every default controller but those that need a cloud or
// allocate pod networks. secure-port 0 serves nothing, so that any number of
// clusters can run side by side.
func (c *Cluster) controllerArgs() []string {
	pki := filepath.Join(c.dir, "pki")
	return []string{
		"--kubeconfig=" + c.kubeconfigPath(controller),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + filepath.Join(pki, "sa.key"),
		"--root-ca-file=" + filepath.Join(pki, "ca.crt"),
		"--leader-elect=false",
		"--secure-port=0",
		"--controllers=*,-node-ipam-controller,-node-route-controller,-cloud-node-lifecycle-controller,-service-lb-controller",
		"--node-monitor-period=1s",
		"--node-monitor-grace-period=" + c.opts.NodeMonitorGrace.String(),
		// A claim whose volume is seen after it is bound at the next sync only.
		"--pvclaimbinder-sync-period=" + time.Second.String(),
		"--attach-detach-reconcile-sync-period=" + (5 * time.Second).String(),
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--profiling=false",
	}
}

func (c *Cluster) schedulerArgs() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigPath(scheduler),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--profiling=false",
	}
}
