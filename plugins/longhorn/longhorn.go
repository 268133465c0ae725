// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"

	"github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/placement"
)

// Driver is the name of Longhorn's CSI driver.
const Driver = "driver.longhorn.io"

// Namespace is where Longhorn usually lives.
const Namespace = "longhorn-system"

// Storage is Longhorn, as a plugin. Its zero value is ready, and is also an
// Evacuator, a Rebuilder and a Pruner.
type Storage struct{}

// New returns Longhorn's plugin.
func New() Storage { return Storage{} }

// Driver returns the name of Longhorn's CSI driver.
func (Storage) Driver() string { return Driver }

// DefaultNamespace returns where Longhorn usually lives.
func (Storage) DefaultNamespace() string { return Namespace }

// Kinds returns the kinds that are read.
func (Storage) Kinds() []plugin.Kind { return kinds() }

// NewReader returns an empty Reader.
func (Storage) NewReader() plugin.Reader { return NewReader() }

// Codes documents the codes of the Doubts.
func (Storage) Codes() []plugin.CodeDoc { return codes() }

// Placer returns Longhorn's rules of placement.
func (Storage) Placer() forecast.Placer { return placement.Placer{} }

// Connect returns the REST client of Longhorn's own clientset for v1beta2.
func (Storage) Connect(cfg *rest.Config) (rest.Interface, error) {
	set, err := versioned.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("no client for longhorn.io: %w", err)
	}
	return set.LonghornV1beta2().RESTClient(), nil
}
