// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"errors"
	"fmt"
	"time"
)

// standbyCLI is the first version of the engine's command line that rebuilds a
// replica of a standby volume (v1.12.0 engineapi CLIVersionFour); longhorn-engine
// 1.1.0 has 3.
const standbyCLI = 4

type engineSpec struct {
	Volume     string `json:"volumeName"`
	Active     bool   `json:"active"`
	NodeID     string `json:"nodeID"`
	VolumeSize string `json:"volumeSize"`
}

type engineStatus struct {
	State       string                 `json:"currentState"`
	OwnerID     string                 `json:"ownerID"`
	CurrentSize string                 `json:"currentSize"`
	IsExpanding bool                   `json:"isExpanding"`
	ExpandError string                 `json:"lastExpansionError" keep:"own"`
	Modes       map[string]string      `json:"replicaModeMap"`
	Addresses   map[string]string      `json:"currentReplicaAddressMap" keep:"own"`
	Rebuilds    map[string]rebuild     `json:"rebuildStatus"`
	Purges      map[string]purge       `json:"purgeStatus"`
	Restores    map[string]restoration `json:"restoreStatus"`
	Snapshots   filled                 `json:"snapshots"`
}

type rebuild struct {
	IsRebuilding bool   `json:"isRebuilding"`
	Progress     int    `json:"progress"`
	State        string `json:"state"`
}

// running reports whether the rebuild goes on. Longhorn keeps the entry of a
// finished one, with isRebuilding false and the state "complete" or "error".
func (r rebuild) running() bool { return r.IsRebuilding || r.State == "in_progress" }

type purge struct {
	IsPurging bool  `json:"isPurging"`
	Error     given `json:"error"`
}

type restoration struct {
	IsRestoring bool  `json:"isRestoring"`
	Error       given `json:"error"`
}

// engine is what is kept of an Engine.
type engine struct {
	meta
	engineSpec
	Status engineStatus
}

func newEngine(item []byte) (*engine, error) {
	o, err := decode[engineSpec, engineStatus]("Engine", item)
	if err != nil {
		return nil, err
	}
	if o.Spec.Volume == "" {
		return nil, errors.New("it names no volume")
	}
	return &engine{meta: o.Metadata, engineSpec: o.Spec, Status: o.Status}, nil
}

func (e *engine) running() bool { return e.Status.State == "running" }

// ever reports whether it was started at least once. currentSize is written
// by the monitor of a running engine only, and kept (Longhorn v1.12.0
// controller/engine_controller.go, refresh); so are the snapshots, of which a
// started engine has one at least.
func (e *engine) ever() bool {
	return e.running() || bool(e.Status.Snapshots) || e.Status.CurrentSize != "" && e.Status.CurrentSize != "0"
}

// engineFollows is how long after its volume an engine may be made: Longhorn
// does so as soon as it sees the volume.
const engineFollows = 10 * time.Minute

// mayHave reports whether the engine may have run although it does not look it:
// one that is younger than its volume knows nothing of the one before, and of the
// volume some traces are left only where it was in use, or filled from elsewhere.
func (e *engine) mayHave(v *volume) bool {
	made, asked := e.Created.time(), v.Created.time()
	younger := made.IsZero() || asked.IsZero() || made.Sub(asked) > engineFollows
	s := &v.Status
	return younger || v.LastAttachedBy != "" || bool(s.LastBackup) || bool(s.RemountRequestedAt) || s.RestoreInitiated || s.CloneStatus.State == "completed"
}

// at returns the entry of the replica at that address. Longhorn keys rebuilds,
// purges and restores by URL, and addresses by host and port.
func at[V any](all map[string]V, address string) (V, bool) {
	if address == "" {
		var none V
		return none, false
	}
	if x, ok := all["tcp://"+address]; ok {
		return x, true
	}
	x, ok := all[address]
	return x, ok
}

// rebuildOf returns the rebuild of the replica at that address.
func (e *engine) rebuildOf(address string) (rebuild, bool) { return at(e.Status.Rebuilds, address) }

// refuses reports whether a purge or a restore of the replica at that address has
// failed.
func (e *engine) refuses(address string) bool {
	p, _ := at(e.Status.Purges, address)
	r, _ := at(e.Status.Restores, address)
	return bool(p.Error) || bool(r.Error)
}

// alone reports whether exactly one replica has that address.
func (e *engine) alone(address string) bool {
	n := 0
	for _, a := range e.Status.Addresses {
		if a == address {
			n++
		}
	}
	return address != "" && n == 1
}

func (e *engine) purging() bool {
	for _, p := range e.Status.Purges {
		if p.IsPurging {
			return true
		}
	}
	return false
}

func (e *engine) restoring() bool {
	for _, r := range e.Status.Restores {
		if r.IsRestoring {
			return true
		}
	}
	return false
}

// expanding reports whether its size is being changed: while it runs, a size
// other than the one asked for suppresses every rebuild (Longhorn v1.12.0
// controller/volume_controller.go, isInExpansion). Sizes are compared as they
// are spelled; both come from the same program.
func (e *engine) expanding() bool {
	if e.Status.IsExpanding {
		return true
	}
	return e.running() && e.Status.CurrentSize != "" && e.Status.CurrentSize != "0" &&
		e.VolumeSize != "" && e.VolumeSize != e.Status.CurrentSize
}

// noRebuild says why Longhorn makes no replica of the volume although there is
// room, and what would change that: of a standby volume with an old engine (v1.12.0
// controller/volume_controller.go ReconcileEngineReplicaState).
func (j *join) noRebuild(v *volume) (why, way string) {
	if v.DataEngine != "v1" || !v.Standby && !v.Status.IsStandby {
		return "", ""
	}
	running := v.Status.CurrentImage
	if running == "" {
		running = v.Image
	}
	for _, i := range j.engineImages {
		if i.image == running && i.cli > 0 && i.cli < standbyCLI {
			return fmt.Sprintf("it is a standby volume, and its engine image %s is too old to rebuild one (command line version %d, %d is needed)", i.image, i.cli, standbyCLI),
				"the engine of volume " + v.Name + " upgraded to a newer image"
		}
	}
	return "", ""
}
