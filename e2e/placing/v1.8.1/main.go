// SPDX-License-Identifier: Apache-2.0

// Command placing asks the unmodified code of one version of Longhorn where it
// puts replicas: its volume controller decides whether one is made, and its
// scheduler where. It reads one question a line, a cluster's objects as JSON,
// and writes one answer a line.
//
// Longhorn's own code is called on Longhorn's own caches, which are filled by
// hand: there is no API server, and no time passes. What is played here is what
// is no decision: that a replica which has a disk is copied there, that its
// space is then taken, and that one which was asked to leave goes when enough
// others are healthy.
//
// It must never decide what Longhorn decides.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetOutput(io.Discard)
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "placing:", err)
		os.Exit(1)
	}
}

// question is a cluster and what happens to it.
type question struct {
	// Objects are Longhorn's, by resource; Kube are the Kubernetes nodes.
	Objects map[string][]json.RawMessage `json:"objects"`
	Kube    []json.RawMessage            `json:"kube"`
	// Leaving is the node that is evicted; empty to have made what is lacking.
	Leaving string `json:"leaving"`
	// Order is that in which the volumes are worked on.
	Order []string `json:"order"`
}

// step is one replica that was given a place, or none.
type step struct {
	Volume string `json:"volume"`
	Node   string `json:"node,omitempty"`
	Disk   string `json:"disk,omitempty"`
	// Reused: a failed replica is rebuilt where it lies.
	Reused bool `json:"reused,omitempty"`
}

// answer is what became of it.
type answer struct {
	// Alone is what each volume by itself would get in the cluster as it is.
	Alone map[string][]step `json:"alone"`
	// Steps is what happened when all were worked on in the order.
	Steps []step `json:"steps"`
	// Short names the volumes that have fewer healthy replicas elsewhere than
	// configured at the end, by themselves and with all others.
	ShortAlone []string `json:"shortAlone"`
	Short      []string `json:"short"`
	// Left names the volumes with a replica on the leaving node that is not
	// marked as failed.
	Left []string `json:"left"`
	// End are the objects that have changed, as they are then.
	End map[string][]json.RawMessage `json:"end"`
}

func serve(in io.Reader, out io.Writer) error {
	lh, err := newLonghorn()
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return fmt.Errorf("read the question: %w", err)
		}
		a, err := lh.answer(q)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", raw); err != nil {
			return err
		}
	}
	return lines.Err()
}
