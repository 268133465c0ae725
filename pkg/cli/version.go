// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
)

// versionFacts are what version prints for programs.
type versionFacts struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Version    string   `json:"version"`
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Kubernetes string   `json:"kubernetesClient,omitempty"`
	Storages   []string `json:"storages"`
}

func newVersion(app App, display string) *cobra.Command {
	output := outputText
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "What this program was built from",
		Example: examples(display, "% version", "% version -o jsonpath={.version}"),
		Args:    nothing,
		RunE: func(*cobra.Command, []string) error {
			if err := checkOutput(output, outputText); err != nil {
				return err
			}
			v := facts(app)
			if output != outputText {
				return printData(app.Streams.Out, output, data{object: v, names: []string{"version/" + v.Version}})
			}
			_, err := fmt.Fprintf(app.Streams.Out, "safe-roll %s (%s, %s, client-go %s)\n", v.Version, v.Go, v.Platform, v.Kubernetes)
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "text, "+dataOutputs)
	return cmd
}

func facts(app App) versionFacts {
	v := versionFacts{
		APIVersion: v1alpha1.APIVersion, Kind: "Version",
		Version: app.Version, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Kubernetes: "unknown", Storages: []string{},
	}
	for _, s := range app.Storages {
		v.Storages = append(v.Storages, s.Driver())
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "k8s.io/client-go" {
				v.Kubernetes = d.Version
			}
		}
	}
	return v
}
