// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// The versions whose objects are understood.
const (
	oldestMinor = 4
	newestMinor = 12
	// ticketsMinor is the first that attaches by tickets.
	ticketsMinor = 5
)

// version returns Longhorn's version: as the setting says, which the manager
// writes when it starts, or else by the default engine image. Empty where
// nothing says it. A version that is not understood is a Doubt about
// everything.
func (j *join) version() (string, []cluster.Doubt) {
	word := j.settings["current-longhorn-version"]
	if word == "" {
		word = j.imageVersion()
	}
	if word == "" {
		return "", nil
	}
	if minor, ok := minorOf(word); ok && minor >= oldestMinor && minor <= newestMinor {
		return word, nil
	}
	return word, []cluster.Doubt{doubt(codeUntestedVersion, cluster.StandingUnknown, "version", word)}
}

// imageVersion is the default engine image's version; empty where an image of
// one's own has a tag that is no version of Longhorn.
func (j *join) imageVersion() string {
	image := j.settings["default-engine-image"]
	for _, i := range j.engineImages {
		if image != "" && i.image == image && i.version != "" {
			return i.version
		}
	}
	image, _, _ = strings.Cut(image, "@")
	tag := image[strings.LastIndex(image, ":")+1:]
	if _, ok := minorOf(tag); ok {
		return tag
	}
	return ""
}

// minorOf returns the minor number of a version 1.x.
func minorOf(word string) (int, bool) {
	parts := strings.SplitN(strings.TrimPrefix(word, "v"), ".", 3)
	if len(parts) < 2 || parts[0] != "1" {
		return 0, false
	}
	digits, _, _ := strings.Cut(parts[1], "-")
	minor, err := strconv.Atoi(digits)
	return minor, err == nil
}

// patchOf returns the last number of a version 1.x.y.
func patchOf(word string) (int, bool) {
	parts := strings.SplitN(strings.TrimPrefix(word, "v"), ".", 3)
	if len(parts) < 3 {
		return 0, false
	}
	digits, _, _ := strings.Cut(parts[2], "-")
	patch, err := strconv.Atoi(digits)
	return patch, err == nil
}
