// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"context"
	_ "embed" // the manifest
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
)

// manifest is what the manager needs to find, as Longhorn's own deployment has
// it, without what the lab does not run. VERSION stands for the version and
// SETTINGS for the default settings.
//
//go:embed longhorn.yaml
var manifest string

// install creates Longhorn's definitions and the manifest's objects.
func (l *Lab) install(ctx context.Context) error {
	file, err := longhorn.Definitions(ctx, l.opts.Version)
	if err != nil {
		return err
	}
	crds, err := longhorn.ReadDefinitions(file)
	if err != nil {
		return fmt.Errorf("read Longhorn's resource definitions: %w", err)
	}
	if err := longhorn.InstallDefinitions(ctx, l.cluster.Config, crds); err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(l.kube.Discovery())
	if err != nil {
		return fmt.Errorf("install Longhorn: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	client, err := dynamic.NewForConfig(l.cluster.Config)
	if err != nil {
		return fmt.Errorf("install Longhorn: %w", err)
	}
	for d := yaml.NewYAMLOrJSONDecoder(strings.NewReader(l.manifest()), 4096); ; {
		o := &unstructured.Unstructured{}
		switch err := d.Decode(o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("install Longhorn: manifest: %w", err)
		case len(o.Object) == 0:
			continue
		}
		if err := create(ctx, client, mapper, o); err != nil {
			return fmt.Errorf("install Longhorn: %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}

func create(ctx context.Context, client dynamic.Interface, mapper meta.RESTMapper, o *unstructured.Unstructured) error {
	gvk := o.GroupVersionKind()
	m, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	var api dynamic.ResourceInterface = client.Resource(m.Resource)
	if o.GetNamespace() != "" {
		api = client.Resource(m.Resource).Namespace(o.GetNamespace())
	}
	_, err = api.Create(ctx, o, metav1.CreateOptions{})
	return err
}

// manifest with this lab's version and settings.
func (l *Lab) manifest() string {
	var settings bytes.Buffer
	for name, value := range l.opts.Settings {
		fmt.Fprintf(&settings, "\n    %s: %q", name, value)
	}
	return strings.NewReplacer("VERSION", l.opts.Version, "    SETTINGS", settings.String()).Replace(manifest)
}
