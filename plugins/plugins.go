// SPDX-License-Identifier: Apache-2.0

// Package plugins is the list of storage systems that safe-roll knows.
//
// It may import the plugins and their contract. It must never do more than
// list them: no registration, no init, no choice. Start reading at All.
package plugins

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// All returns every storage system, in the order in which they are read.
func All() []plugin.Storage {
	return []plugin.Storage{longhorn.New()}
}
