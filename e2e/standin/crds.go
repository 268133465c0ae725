// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// The module whose definitions are installed; the version is that of go.mod.
const (
	longhornModule  = "github.com/longhorn/longhorn-manager"
	longhornVersion = "v1.12.0"
)

const downloadLimit = 10 * time.Minute

// InstallCRDs creates Longhorn's own resource definitions, as its module brings
// them, but for the kinds that the imitated version does not have, and returns
// when the API server serves them. Those that exist stay as they are. Conversion
// webhooks are left out: one version is served.
func InstallCRDs(ctx context.Context, cfg *rest.Config, without ...model.Kind) error {
	crds, err := definitions(ctx)
	if err != nil {
		return fmt.Errorf("read Longhorn's resource definitions: %w", err)
	}
	crds = slices.DeleteFunc(crds, func(crd *apiextv1.CustomResourceDefinition) bool {
		return slices.Contains(without, model.Kind(crd.Spec.Names.Plural))
	})
	return longhorn.InstallDefinitions(ctx, cfg, crds)
}

func definitions(ctx context.Context) ([]*apiextv1.CustomResourceDefinition, error) {
	dir, err := moduleDir(ctx)
	if err != nil {
		return nil, err
	}
	crds, err := longhorn.ReadDefinitions(filepath.Join(dir, "k8s", "crds.yaml"))
	if err != nil {
		return nil, err
	}
	for _, crd := range crds {
		crd.Spec.Conversion = &apiextv1.CustomResourceConversion{Strategy: apiextv1.NoneConverter}
	}
	return crds, nil
}

// moduleDir finds the module's folder in the module cache, which it fills first
// if need be. It works wherever the program runs.
func moduleDir(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, downloadLimit, fmt.Errorf("download limit of %s passed", downloadLimit))
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", longhornModule+"@"+longhornVersion)
	cmd.Dir = os.TempDir() // outside of any module
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr == nil && answer.Error != "" {
		return "", fmt.Errorf("go mod download: %s", answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return answer.Dir, nil
}
