// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiext "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
)

// The module whose definitions are installed; the version is that of go.mod.
const (
	longhornModule  = "github.com/longhorn/longhorn-manager"
	longhornVersion = "v1.12.0"
)

const (
	crdLimit      = 2 * time.Minute
	downloadLimit = 10 * time.Minute
)

// InstallCRDs creates Longhorn's own resource definitions, as its module brings
// them, and returns when the API server serves them. Those that exist stay as
// they are. Conversion webhooks are left out: one version is served.
func InstallCRDs(ctx context.Context, cfg *rest.Config) error {
	crds, err := readCRDs(ctx)
	if err != nil {
		return fmt.Errorf("read Longhorn's resource definitions: %w", err)
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // Longhorn's definitions use format int64
	client, err := apiext.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("client for resource definitions: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, crdLimit, fmt.Errorf("limit of %s for resource definitions passed", crdLimit))
	defer cancel()
	for _, crd := range crds {
		_, err := client.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, crd, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("install %s: %w", crd.Name, err)
		}
	}
	for _, crd := range crds {
		if err := established(ctx, client, crd.Name); err != nil {
			return err
		}
	}
	return nil
}

func established(ctx context.Context, client apiext.Interface, name string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		crd, err := client.ApiextensionsV1().CustomResourceDefinitions().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			for _, c := range crd.Status.Conditions {
				if c.Type == apiextv1.Established && c.Status == apiextv1.ConditionTrue {
					return nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to be served: %w", name, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// readCRDs reads k8s/crds.yaml of the module. It is a Helm template: its one
// kind of directive stands for labels, and is left out.
func readCRDs(ctx context.Context) ([]*apiextv1.CustomResourceDefinition, error) {
	dir, err := moduleDir(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "k8s", "crds.yaml"))
	if err != nil {
		return nil, err
	}
	raw = regexp.MustCompile(`\{\{-?[^}]*\}\}`).ReplaceAll(raw, nil)
	var out []*apiextv1.CustomResourceDefinition
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		crd := &apiextv1.CustomResourceDefinition{}
		switch err := d.Decode(crd); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("definition %d: %w", len(out)+1, err)
		case crd.Name == "":
			continue // a document of comments
		}
		crd.Spec.Conversion = &apiextv1.CustomResourceConversion{Strategy: apiextv1.NoneConverter}
		crd.Status = apiextv1.CustomResourceDefinitionStatus{}
		out = append(out, crd)
	}
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
