// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "time"

// KindExplanation is the kind of an Explanation.
const KindExplanation = "Explanation"

// Explanation is the answer of `kubectl safe-roll explain VOLUME`: everything
// that the conclusion about one volume rests on, from its claim to the
// directories of its replicas.
type Explanation struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Explanation.
	Kind string `json:"kind"`
	// ObservedAt is when the reading of the facts ended (RFC 3339, UTC); for
	// files, the newest time found in them. Null where nothing tells.
	ObservedAt *time.Time `json:"observedAt"`
	// Driver is the CSI driver of the storage system that has the volume.
	Driver string `json:"driver"`
	// Volume is the volume as in a Verification.
	Volume Volume `json:"volume"`
	// Conclusion is one sentence for people. Do not parse it.
	Conclusion string `json:"conclusion"`
	// Chain leads from the claim to the engine, Replicas from each replica to
	// its directory.
	Chain    []Link             `json:"chain"`
	Replicas []ExplainedReplica `json:"replicas"`
	// Findings are those about the volume and its replicas.
	Findings []Finding `json:"findings"`
	// Do and DoNot are the remedy, in the order of urgency; never null.
	Do    []string `json:"do"`
	DoNot []string `json:"doNot"`
	// See are links, or titles of documents, that it rests on; never null.
	See []string `json:"see"`
}

// Link is one thing in the chain and what is known of it.
type Link struct {
	// Kind is claim, persistentVolume, volume, engine, orphan (a directory that
	// no replica names), node, storageNode, disk or directory.
	Kind string `json:"kind"`
	// Name is empty where it is not known.
	Name string `json:"name"`
	// Says is one sentence for people. Do not parse it.
	Says string `json:"says"`
}

// ExplainedReplica is where one replica's standing comes from.
type ExplainedReplica struct {
	// Name is that of a replica of the volume, in the same order.
	Name string `json:"name"`
	// Says is its standing with the reason, for people. Do not parse it.
	Says  string `json:"says"`
	Chain []Link `json:"chain"`
}
