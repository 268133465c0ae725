// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// versionFacts are what version -o json prints.
type versionFacts struct {
	Version    string   `json:"version"`
	API        string   `json:"api"`
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Kubernetes string   `json:"kubernetesClient,omitempty"`
	Storages   []string `json:"storages"`
}

func newVersion(app App) *cobra.Command {
	output := outputText
	cmd := &cobra.Command{
		Use:   "version",
		Short: "What this program was built from",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf(output, outputText, outputJSON); err != nil {
				return err
			}
			v := facts(app)
			if output == outputJSON {
				return view.WriteJSON(app.Streams.Out, v)
			}
			_, err := fmt.Fprintf(app.Streams.Out, "safe-roll %s (%s, %s, client-go %s)\n", v.Version, v.Go, v.Platform, v.Kubernetes)
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "text or json")
	return cmd
}

func facts(app App) versionFacts {
	v := versionFacts{
		Version: app.Version, API: v1alpha1.APIVersion, Go: runtime.Version(),
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
