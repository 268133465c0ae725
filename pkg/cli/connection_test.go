// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// A batch of evictions would wait for seconds at the five requests a second that
// client-go allows by itself.
func TestConnection_NoRequestOfOursWaitsForTheDefaultRate(t *testing.T) {
	flags := genericclioptions.NewConfigFlags(true)
	*flags.APIServer = "https://127.0.0.1:1"
	c := &connection{app: App{}, flags: flags}
	cfg, err := c.config()
	if err != nil || cfg.QPS < 50 || cfg.Burst < 100 {
		t.Errorf("%+v, %v", cfg, err)
	}
}
