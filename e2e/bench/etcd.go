// SPDX-License-Identifier: Apache-2.0

package bench

// EtcdURL is where etcd answers: for what would take too long through the API
// server.
func (c *Cluster) EtcdURL() string { return "http://" + loopback(c.ports.etcd) }
