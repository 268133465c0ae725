// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab/machine"
)

// Where a machine sees things.
const (
	diskOnMachine = "var/lib/longhorn"
	binOnMachine  = "opt/longhorn"
	logsOnMachine = "var/log/lab"
	toolsFolder   = "opt/tools/bin"
	accountFolder = "run/secrets/kubernetes.io/serviceaccount"
)

const (
	// restartAfter is how long a manager that ended is left alone.
	restartAfter = 2 * time.Second
	// tokenSeconds is longer than any lab lives.
	tokenSeconds int64 = 7 * 24 * 3600
)

// healthPorts are those of the webhook that a manager's readiness is asked of:
// since Longhorn v1.10 there is no conversion webhook, and it is the other's.
func healthPorts() []string { return []string{"9501", "9502"} }

// manager is one pod of the manager's DaemonSet: the real program, started
// again whenever it ends.
type manager struct {
	lab    *Lab
	box    *box
	ip     string
	cancel context.CancelFunc
	done   chan struct{}
	client *http.Client

	mu sync.Mutex
	id int // of the running process; 0: none
}

func (l *Lab) startManager(ctx context.Context, b *box, p hollow.RunningPod) (running, error) {
	if err := l.writeAccount(ctx, b, p.Pod); err != nil {
		return nil, err
	}
	if err := within(b.network, p.IP, b.network.AddrAdd); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m := &manager{lab: l, box: b, ip: p.IP, cancel: cancel, done: make(chan struct{})}
	m.client = &http.Client{Timeout: time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a kubelet's probe does not verify either
	}}
	go m.live(life, l.order(p))
	return m, nil
}

// writeAccount puts the pod's service account where it looks for it.
func (l *Lab) writeAccount(ctx context.Context, b *box, pod *corev1.Pod) error {
	seconds := tokenSeconds
	t, err := l.kube.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName,
		&authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	dir := filepath.Join("/proc", strconv.Itoa(b.init.Process.Pid), "root", accountFolder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"token": []byte(t.Status.Token), "ca.crt": l.cluster.Config.CAData, "namespace": []byte(pod.Namespace)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// order is the pod's container as a process.
func (l *Lab) order(p hollow.RunningPod) machine.Order {
	c := p.Pod.Spec.Containers[0]
	env := []string{
		"PATH=/" + toolsFolder + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "HOSTNAME=" + p.Pod.Name,
		"KUBERNETES_SERVICE_HOST=" + l.gateway.String(), "KUBERNETES_SERVICE_PORT=" + strconv.Itoa(l.cluster.Port),
		"GODEBUG=netdns=go", // not the host's resolver, which reads the host's configuration
	}
	for _, e := range c.Env {
		env = append(env, e.Name+"="+valueOf(e, p))
	}
	return machine.Order{
		Path: path.Join("/", binOnMachine, filepath.Base(l.opts.Manager)), Args: append(slices.Clone(c.Command[1:]), c.Args...), Env: env,
		Log: path.Join("/", logsOnMachine, "manager-"+p.Node+".log"),
	}
}

func valueOf(e corev1.EnvVar, p hollow.RunningPod) string {
	if e.ValueFrom == nil || e.ValueFrom.FieldRef == nil {
		return e.Value
	}
	switch e.ValueFrom.FieldRef.FieldPath {
	case "metadata.namespace":
		return p.Pod.Namespace
	case "metadata.name":
		return p.Pod.Name
	case "status.podIP":
		return p.IP
	case "spec.nodeName":
		return p.Node
	}
	return ""
}

// live keeps the program running.
func (m *manager) live(ctx context.Context, o machine.Order) {
	defer close(m.done)
	for {
		if m.lab.managerDown(m.box.node.Name) {
			if !pause(ctx, time.Second) {
				return
			}
			continue
		}
		id, ended, err := m.box.run(o)
		if err != nil {
			return // the machine is off
		}
		m.set(id)
		select {
		case <-ctx.Done():
			m.box.kill(id)
			select {
			case <-ended:
			case <-m.box.down:
			}
			return
		case <-m.box.down:
			return
		case how := <-ended:
			m.set(0)
			m.lab.log.Warn("a manager has ended", "node", m.box.node.Name, "status", how)
		}
		if !pause(ctx, restartAfter) {
			return
		}
	}
}

// pause waits; false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (m *manager) set(id int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id = id
}

// crash ends the program as if it had failed.
func (m *manager) crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.id != 0 {
		m.box.kill(m.id)
	}
}

// ready is the manager's readiness probe, as its DaemonSet has it.
func (m *manager) ready(ctx context.Context) bool {
	return slices.ContainsFunc(healthPorts(), func(port string) bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(m.ip, port)+"/v1/healthz", nil)
		if err != nil {
			return false
		}
		res, err := m.client.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// stop ends it for good.
func (m *manager) stop() {
	m.cancel()
	<-m.done
	select {
	case <-m.box.down:
	default:
		if err := within(m.box.network, m.ip, m.box.network.AddrDel); err != nil {
			m.lab.log.Warn("address of a manager", "error", err)
		}
	}
}

// files are what a machine has that the manager looks for. The tools answer
// that they are there, which is all that it asks of them.
func (l *Lab) files() map[string]string {
	const system = "ID=hollow\nVERSION_ID=1\nPRETTY_NAME=Hollow\n"
	f := map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n",
		"etc/hosts": "127.0.0.1 localhost\n", "etc/resolv.conf": "nameserver " + l.gateway.String() + "\n",
		"etc/os-release": system, "host/etc/os-release": system,
		"host/boot/config-" + hollow.KernelVersion: "CONFIG_DM_CRYPT=y\nCONFIG_NFS_V4=y\nCONFIG_NFS_V4_1=y\nCONFIG_NFS_V4_2=y\n",
		toolsFolder + "/kmod":                      "#!/bin/sh\nexit 0\n",
		toolsFolder + "/multipathd":                "#!/bin/sh\nexit 1\n",
	}
	for _, tool := range []string{"iscsiadm", "mount.nfs", "cryptsetup", "dmsetup"} {
		f[toolsFolder+"/"+tool] = "#!/bin/sh\necho " + tool + " 2.1.9\n"
	}
	return f
}
