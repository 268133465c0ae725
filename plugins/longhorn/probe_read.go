// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// found is what the script says of one directory.
type found struct {
	there, odd bool
	meta       string
	// images are the image files by name, with the bytes allocated to each:
	// their sizes say nothing, a blank one is as long as the volume.
	images map[string]int64
}

// volumeMeta is what a replica keeps in volume.meta (v1.8.1 util/util.go
// VolumeMeta).
type volumeMeta struct {
	Head       string
	Parent     string
	Rebuilding bool
	Error      string
}

// Read reads the script's output. The machine itself must say that it is the
// one that registered the Node, by its boot ID: a Node's name, and a pod that is
// bound to it, may have outlived the machine.
func (Storage) Read(s *cluster.Snapshot, p plugin.Probe, output []byte) ([]plugin.Sight, error) {
	o, err := parseProbe(string(output), len(p.Targets))
	if err != nil {
		return nil, err
	}
	n := s.NodeByUID(p.Node.UID)
	if n == nil || n.BootID == "" || o.boot != n.BootID {
		return nil, fmt.Errorf("the machine that answered is of boot %s, and node %s is another one", o.boot, p.Node.Name)
	}
	out := make([]plugin.Sight, 0, len(p.Targets))
	for _, t := range p.Targets {
		f, ok := o.found[t.Directory]
		if !ok {
			return nil, fmt.Errorf("nothing was said of the directory %s", t.Directory)
		}
		seen, facts := f.judge(t, o.disk)
		facts = append([]cluster.Fact{{Name: "directory", Value: replicasFolder + "/" + t.Directory}}, facts...)
		out = append(out, plugin.Sight{Replica: t.Replica, Seen: seen, Facts: facts})
	}
	return out, nil
}

const replicasFolder = "replicas"

// judge says what was seen of one directory, on the disk of that UUID. A
// directory that is missing from another disk proves nothing: the right one may
// only not be mounted. One that is blank there is no more than missing: Longhorn
// makes it when it starts a replica whose own is gone (longhorn-engine v1.8.0
// pkg/replica/replica.go construct).
func (f *found) judge(t plugin.Target, disk string) (cluster.Seen, []cluster.Fact) {
	facts := func(more ...string) []cluster.Fact {
		out := []cluster.Fact{{Name: "disk", Value: disk}}
		for i := 0; i+1 < len(more); i += 2 {
			out = append(out, cluster.Fact{Name: more[i], Value: more[i+1]})
		}
		return out
	}
	switch {
	case disk != "" && disk != t.DiskUUID && (!f.there && !f.odd || f.blank()):
		return cluster.SeenReplaced, facts("wanted", t.DiskUUID)
	case disk != t.DiskUUID:
		return cluster.SeenOtherDisk, facts("wanted", t.DiskUUID)
	case f.odd:
		return cluster.SeenBroken, facts("why", "it is no directory")
	case !f.there:
		return cluster.SeenNothing, facts()
	}
	if why := f.broken(); why != "" {
		return cluster.SeenBroken, facts("why", why)
	}
	seen := cluster.SeenData
	if f.blank() {
		seen = cluster.SeenBlank
	}
	return seen, facts("images", strconv.Itoa(len(f.images)), "allocated", strconv.FormatInt(f.allocated(), 10))
}

// blank reports whether a whole replica is there into which nothing was ever
// written.
func (f *found) blank() bool { return f.there && f.broken() == "" && f.allocated() == 0 }

// allocated is how many bytes its images take of the disk.
func (f *found) allocated() int64 {
	sum := int64(0)
	for _, n := range f.images {
		sum += n
	}
	return sum
}

// broken says why the directory holds no whole replica; empty if it does.
func (f *found) broken() string {
	var m volumeMeta
	switch {
	case f.meta == "":
		return "volume.meta is missing or empty"
	case json.Unmarshal([]byte(f.meta), &m) != nil:
		return "volume.meta cannot be decoded"
	case m.Rebuilding:
		return "volume.meta says that it was being rebuilt"
	case m.Error != "":
		return "volume.meta holds the error " + m.Error
	}
	for _, name := range []string{m.Head, m.Parent} {
		if _, ok := f.images[path.Base(name)]; name != "" && !ok {
			return "image " + name + " is missing"
		}
	}
	if m.Head == "" {
		return "volume.meta names no head"
	}
	return ""
}

// probeOutput is the script's output.
type probeOutput struct {
	boot, disk string
	found      map[string]*found
}

var errProbeOutput = errors.New("the output is not that of the probe")

// parseProbe reads the lines. Without the last one the rest may be half a truth.
func parseProbe(text string, targets int) (*probeOutput, error) {
	o := &probeOutput{found: map[string]*found{}}
	var last *found
	done := false
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		ok := !done
		switch word {
		case "boot":
			o.boot, ok = strings.TrimSpace(rest), ok && o.boot == ""
		case "disk":
			o.disk = diskOf(rest)
		case "none", "odd", "dir":
			last = &found{there: word == "dir", odd: word == "odd", images: map[string]int64{}}
			ok = ok && o.found[rest] == nil
			o.found[rest] = last
		case "meta":
			if ok = ok && last != nil; ok {
				last.meta = rest
			}
		case "image":
			ok = ok && last != nil && last.image(rest)
		case "done":
			ok, done = ok && rest == strconv.Itoa(targets), true
		default:
			ok = false
		}
		if !ok {
			return nil, fmt.Errorf("%w: %.80q", errProbeOutput, line)
		}
	}
	if !done || o.boot == "" {
		return nil, fmt.Errorf("%w: it was cut off", errProbeOutput)
	}
	return o, nil
}

// image reads size, blocks, block size and path of an image.
func (f *found) image(line string) bool {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) != 4 {
		return false
	}
	var n [3]int64
	for i := range n {
		v, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || v < 0 {
			return false
		}
		n[i] = v
	}
	f.images[path.Base(parts[3])] = n[1] * n[2]
	return true
}

// diskOf is the disk's UUID in its own longhorn-disk.cfg; empty where it cannot
// be decoded.
func diskOf(config string) string {
	var c struct {
		UUID string `json:"diskUUID"`
	}
	if json.Unmarshal([]byte(config), &c) != nil {
		return ""
	}
	return c.UUID
}
