// SPDX-License-Identifier: Apache-2.0

package longhorn

import "github.com/safe-roll/kubectl-safe-roll/pkg/plugin"

// issue links one of Longhorn's issues with what it is about.
func issue(number, about string) string {
	return "https://github.com/longhorn/longhorn/issues/" + number + " (" + about + ")"
}

// What several guides say.
const (
	removeReplica = "Once another replica is proven (an engine serves it, or verify --probe has seen its data), remove the object of replica REPLICA: kubectl -n longhorn-system delete replicas.longhorn.io REPLICA. Then Longhorn rebuilds the volume when it is attached."
	notAttach     = "Do not attach the volume while the object of REPLICA is there: Longhorn waits for it for ever, or starts a blank one in its place and reads from that too."
	salvageHow    = "Where failed replicas are left on live disks, salvage: copy their directories first; with the volume detached choose Salvage in Longhorn's UI, and of its replicas the one that failed last (spec.failedAt of replicas.longhorn.io); then attach it in maintenance mode and check the data before any workload starts. " +
		"With setting auto-salvage on, Longhorn does the same by itself for the replicas that failed within a minute of the last one, once they can be reached."
	exportDoc = `Longhorn's documentation, "Data Recovery: Exporting a Volume from a Single Replica"`
)

// Guides says what findings mean for whoever runs Longhorn.
func (Storage) Guides() []plugin.Guide {
	phantom := issue("2237", "a stopped replica on a removed node was counted as healthy")
	return append(lossGuides(), []plugin.Guide{
		{
			Code: "volume/degraded",
			Do: []string{"A detached volume is not rebuilt by Longhorn: once nothing stands against attaching it, have it attached, by its workload or by 'kubectl safe-roll run', and leave it attached until it is whole. " +
				"Up to ten minutes may pass before the rebuild begins (replica-replenishment-wait-interval)."},
			See: []string{issue("3619", "detached volumes are not replicated: potential data loss")},
		},
		{
			Code: "replica/node-gone", Do: []string{removeReplica},
			See: []string{phantom, issue("10833", "drains that meet such a replica hang")},
		},
		{
			Code: "disk/other-uuid", Do: []string{removeReplica}, Not: []string{notAttach},
			See: []string{phantom},
		},
		{
			Code: "replica/node-younger",
			Do:   []string{"Look whether the data are there: kubectl safe-roll verify --probe."},
			Not:  []string{"Do not delete the object of replica REPLICA: Longhorn deletes its directory with it."},
			See:  []string{phantom},
		},
		{
			Code: "disk/not-ready",
			Do:   []string{"See why: kubectl -n longhorn-system get nodes.longhorn.io NODE -o yaml. DiskFilesystemChanged means that another file system is mounted there: mount the right one, or take the disk out of the node's spec."},
			Not:  []string{notAttach},
			See:  []string{issue("1232", "a node of the same name, or a disk that was reinstalled"), issue("8020", "the same")},
		},
		{
			Code: "disk/uuid-twice",
			Do: []string{"See on which of the two machines the directories below replicas/ on that disk are of today; the other one is the clone. " +
				"Bar the clone's disk from scheduling, take it out of its nodes.longhorn.io, remove longhorn-disk.cfg from it there, and add it again: it gets a UUID of its own."},
			Not: []string{"Do not attach the volume before that: Longhorn takes either disk for the one."},
			See: []string{issue("14032", "two disks with one UUID after a machine was cloned")},
		},
		{
			Code: "engine/node-not-live",
			Not:  []string{"Do not delete the node, nor any replica, to get the volume going again: who wrote last is known when the engine has ended."},
			See:  []string{issue("5914", "a volume stays attached to a node that is gone")},
		},
		{
			Code: codeInPlace,
			See:  []string{issue("9216", "the only healthy replica was deleted while an empty one ran")},
		},
		{
			Code: codeStranger,
			See:  []string{issue("9216", "the only healthy replica was deleted while an empty one ran")},
		},
		{
			Code: codeRetries,
			See:  []string{issue("7357", "a replica that was given up was deleted although it was the last")},
		},
		{
			Code: "replica/failed",
			Not:  []string{"Do not delete replica REPLICA while it may be the last copy: Longhorn has discarded good replicas for failed ones before."},
			See:  []string{issue("7425", "good replicas discarded"), issue("7372", "the last replica deleted")},
		},
	}...)
}

// lossGuides are about data that are, or may be, gone.
func lossGuides() []plugin.Guide {
	return []plugin.Guide{
		{
			Code: "volume/data-lost",
			Do: []string{
				"Keep its workloads stopped: scale whatever mounts claim CLAIM in namespace NAMESPACE to zero, and suspend its jobs.",
				"Look for directories that no replica names: kubectl -n longhorn-system get orphans.longhorn.io -o wide; and on disks of machines that were replaced, below replicas/.",
				"From a directory that is left the data can be exported without Longhorn's control plane: see its documentation, below.",
				"Look for backups: kubectl -n longhorn-system get backupvolumes.longhorn.io,backups.longhorn.io.",
				salvageHow,
			},
			Not: []string{
				"Do not start a pod that mounts it: a volume whose replicas are all missing or blank is a new one to Longhorn, and its blank device is formatted.",
				"Do not delete orphans.longhorn.io, and see that setting orphan-auto-deletion (orphan-resource-auto-deletion from 1.9 on) deletes none.",
				"Do not salvage it before every disk that may come back has come back.",
			},
			See: []string{exportDoc, issue("3619", "detached volumes are not replicated: potential data loss"),
				issue("8766", "a volume came up formatted")},
		},
		{
			Code: "replica/data-missing", Do: []string{removeReplica}, Not: []string{notAttach},
		},
		{
			Code: "probe/blank-directory", Do: []string{removeReplica}, Not: []string{notAttach},
		},
		{
			Code: codeFaulted,
			Not:  []string{"Do not start a pod that mounts it before a replica with its data is found."},
			See:  []string{exportDoc},
		},
	}
}
