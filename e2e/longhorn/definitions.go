// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiext "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
)

const installLimit = 2 * time.Minute

// ReadDefinitions reads the k8s/crds.yaml of a version of Longhorn. In some it
// is a Helm template: its one kind of directive stands for labels, and is left
// out.
func ReadDefinitions(file string) ([]*apiextv1.CustomResourceDefinition, error) {
	raw, err := os.ReadFile(file)
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
			return nil, fmt.Errorf("definition %d of %s: %w", len(out)+1, file, err)
		case crd.Name == "":
			continue // a document of comments
		}
		crd.Status = apiextv1.CustomResourceDefinitionStatus{}
		out = append(out, crd)
	}
}

// InstallDefinitions creates resource definitions and returns when the API
// server serves them. Those that exist stay as they are.
func InstallDefinitions(ctx context.Context, cfg *rest.Config, crds []*apiextv1.CustomResourceDefinition) error {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // Longhorn's definitions use format int64
	client, err := apiext.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("client for resource definitions: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, installLimit, fmt.Errorf("limit of %s for resource definitions passed", installLimit))
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
