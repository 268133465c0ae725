// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Config returns a client configuration with all rights (group system:masters)
// and without a client-side rate limit. Each call returns a fresh copy.
func (c *Cluster) Config() *rest.Config {
	return rest.CopyConfig(c.admin)
}

// Kubeconfig is the path of a kubeconfig file with all rights. It holds its
// certificates in itself.
func (c *Cluster) Kubeconfig() string {
	return c.kubeconfigPath("admin")
}

// UserKubeconfig writes a kubeconfig for a user with a certificate of its own
// (CN = user, O = groups) and returns the file's path. The user has no rights
// but those of system:authenticated until RBAC roles are bound to its name.
func (c *Cluster) UserKubeconfig(user string, groups ...string) (string, error) {
	_, err := c.identity(user, user, groups...)
	if err != nil {
		return "", err
	}
	return c.kubeconfigPath(user), nil
}

// UserConfig is UserKubeconfig as a client configuration.
func (c *Cluster) UserConfig(user string, groups ...string) (*rest.Config, error) {
	return c.identity(user, user, groups...)
}

func (c *Cluster) kubeconfigPath(name string) string {
	return filepath.Join(c.dir, name+".kubeconfig")
}

// identity issues a client certificate and writes the kubeconfig NAME for it.
func (c *Cluster) identity(name, user string, groups ...string) (*rest.Config, error) {
	if name != filepath.Base(name) {
		return nil, fmt.Errorf("kubeconfig of %q: the name cannot be a file name", name)
	}
	p, err := c.ca.client(user, groups...)
	if err != nil {
		return nil, err
	}
	file := clientcmdapi.NewConfig()
	file.Clusters["bench"] = &clientcmdapi.Cluster{Server: c.URL(), CertificateAuthorityData: c.ca.pem}
	file.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: p.cert, ClientKeyData: p.key}
	file.Contexts["bench"] = &clientcmdapi.Context{Cluster: "bench", AuthInfo: user}
	file.CurrentContext = "bench"
	b, err := clientcmd.Write(*file)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	if err := os.WriteFile(c.kubeconfigPath(name), b, 0o600); err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(b)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	cfg.QPS = -1 // no limit on our side: the bench is not what is measured
	return cfg, nil
}
