// SPDX-License-Identifier: Apache-2.0

// Package standin runs the model of Longhorn's behaviour against a real API
// server, in the place of a Longhorn installation: it installs Longhorn's own
// resource definitions, watches what Kubernetes and users do, steps the model,
// and writes the model's objects. It plays the CSI attacher and the node side
// of the driver as well, and keeps the bytes of every replica in a folder on
// the disk of its node.
//
// It may touch: objects of the group longhorn.io, the instance managers' pods
// and disruption budgets, the status and the finalizer of VolumeAttachments of
// its driver, and the disk folders of the fleet's machines.
//
// It must never: know a behaviour of Longhorn itself, all of which is in the
// model; tell safe-roll the truth, which is for tests alone.
//
// Start reading at [Standin.Start] and loop.go.
package standin
