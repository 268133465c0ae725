// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// Base is an image that replicas are layered upon: without a copy of it on
// its disk a replica cannot be opened.
type Base struct {
	Name string
	UID  UID
	// Created is when the image's object was made; zero where it does not say.
	Created  time.Time
	NodeTags []string
	DiskTags []string
	// Copies are sorted by disk.
	Copies []BaseCopy
}

// BaseCopy is one copy of a Base.
type BaseCopy struct {
	DiskUUID string
	Ready    Answer
	// ReadyAt is since when it has been Ready, as the storage saw it; zero where
	// it does not say, or where it is not Ready.
	ReadyAt time.Time
}
