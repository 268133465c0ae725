// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// format is the version of how head and segments are written.
const format = "1"

// The keys of the head's data. Keys of others are left as they are.
const (
	keyFormat   = "format"
	keyRun      = "run"
	keyEpoch    = "epoch"
	keySeq      = "seq"
	keySegments = "segments"
	keyBytes    = "bytes"
	keyWriter   = "writer"  // the token of the holding that wrote it
	keyHolder   = "holder"  // its identity, for people
	keyBarrier  = "barrier" // counts writes that only make the version move
	keyPhase    = "phase"
	keyNode     = "node"
	keyText     = "text"
	keyAt       = "at"
)

// head is the one object that says what counts. Whoever swaps it has written.
type head struct {
	cm       *corev1.ConfigMap // as it was read; nil where there is none
	run      string
	epoch    int64
	seq      int64
	segments int
	bytes    int
	writer   string
	holder   string
	barrier  int64
	phase    string
	node     string
	text     string
	at       string
}

func (b *Book) maps() typedcore.ConfigMapInterface {
	return b.cfg.Clientset.CoreV1().ConfigMaps(b.cfg.Namespace)
}

// readHead returns the head; a zero one where there is none.
func (b *Book) readHead(ctx context.Context) (head, error) {
	cm, err := request(ctx, b, func(ctx context.Context) (*corev1.ConfigMap, error) {
		return b.maps().Get(ctx, Name, metav1.GetOptions{})
	})
	if err != nil {
		if classify(err) == absent {
			return head{}, nil
		}
		return head{}, fmt.Errorf("read the ConfigMap %s/%s: %w", b.cfg.Namespace, Name, explain(err))
	}
	h, err := parseHead(cm)
	if err != nil {
		return head{}, fmt.Errorf("%w: ConfigMap %s/%s: %w", ErrDamaged, b.cfg.Namespace, Name, err)
	}
	return h, nil
}

func parseHead(cm *corev1.ConfigMap) (head, error) {
	d := cm.Data
	if f := d[keyFormat]; f != format {
		return head{}, fmt.Errorf("its format is %q and not %q: another version of safe-roll wrote it", f, format)
	}
	h := head{
		cm: cm, run: d[keyRun], writer: d[keyWriter], holder: d[keyHolder],
		phase: d[keyPhase], node: d[keyNode], text: d[keyText], at: d[keyAt],
	}
	for key, to := range map[string]*int64{keyEpoch: &h.epoch, keySeq: &h.seq, keyBarrier: &h.barrier} {
		n, err := strconv.ParseInt(d[key], 10, 64)
		if err != nil || n < 0 {
			return head{}, fmt.Errorf("%s is %q", key, d[key])
		}
		*to = n
	}
	for key, to := range map[string]*int{keySegments: &h.segments, keyBytes: &h.bytes} {
		n, err := strconv.Atoi(d[key])
		if err != nil || n < 0 {
			return head{}, fmt.Errorf("%s is %q", key, d[key])
		}
		*to = n
	}
	return h, nil
}

// object returns the ConfigMap for the head, at the version that was read.
func (b *Book) object(h head) *corev1.ConfigMap {
	cm := h.cm.DeepCopy()
	if cm == nil {
		cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: Name, Namespace: b.cfg.Namespace}}
	}
	mark(&cm.ObjectMeta, h.run)
	if cm.Data == nil {
		cm.Data = map[string]string{}
	}
	maps.Copy(cm.Data, map[string]string{
		keyFormat: format, keyRun: h.run, keyWriter: h.writer, keyHolder: h.holder,
		keyEpoch:    strconv.FormatInt(h.epoch, 10),
		keySeq:      strconv.FormatInt(h.seq, 10),
		keyBarrier:  strconv.FormatInt(h.barrier, 10),
		keySegments: strconv.Itoa(h.segments),
		keyBytes:    strconv.Itoa(h.bytes),
		keyPhase:    h.phase, keyNode: h.node, keyText: h.text, keyAt: h.at,
	})
	return cm
}

// swap writes the head at the version that it was read at, and returns it at
// its new one.
func (b *Book) swap(ctx context.Context, h head) (head, error) {
	cm, err := b.put(ctx, b.object(h))
	if err != nil {
		return head{}, err
	}
	h.cm = cm
	return h, nil
}

// same reports whether both heads point to the same end of the same journal,
// written under the same holding.
func (h head) same(o head) bool {
	return h.run == o.run && h.epoch == o.epoch && h.seq == o.seq && h.writer == o.writer &&
		h.segments == o.segments && h.bytes == o.bytes
}

// after returns the head as the events leave it, where the segments end aside,
// and the events as lines. A started event begins a journal of its own.
func (h head) after(events []record.Event) (head, []string, error) {
	run, err := runOf(events)
	switch {
	case err != nil:
		return head{}, nil, err
	case run == "" && h.run == "":
		return head{}, nil, errors.New("no roll has been started, so there is nothing to write to")
	case run != "" && run == h.run:
		return head{}, nil, fmt.Errorf("it is the one of roll %s already", run)
	case run != "":
		h.run, h.seq = run, 0
	}
	lines, err := encode(events, h.run, h.epoch, h.seq)
	if err != nil {
		return head{}, nil, err
	}
	h.seq += int64(len(events))
	h.tell(events)
	return h, lines, nil
}

// longest bounds the text in the head, in bytes.
const longest = 1024

// tell sets what the head says of the events, for status and for whoever finds
// the lock held.
func (h *head) tell(events []record.Event) {
	for _, e := range events {
		if e.Kind == record.Started {
			h.phase, h.node, h.text = "", "", ""
		}
		text := e.Text
		switch {
		case e.Action != nil:
			h.node = either(e.Action.Node.Name, h.node)
			text = either(text, e.Action.Why)
		case e.Note != nil:
			h.node = either(e.Note.Node.Name, h.node)
			text = either(text, e.Note.Says)
		}
		h.phase = either(string(e.Phase), h.phase)
		h.text = either(clip(text), h.text)
		h.at = e.At.UTC().Format(time.RFC3339)
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func clip(s string) string {
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return s
}

// doing says in one line what the roll was last known to do.
func (h head) doing() string {
	s := "roll " + h.run
	if h.phase != "" {
		s += ", phase " + strconv.Quote(h.phase)
	}
	if h.node != "" {
		s += ", node " + h.node
	}
	if h.text != "" {
		s += ": " + h.text
	}
	return s
}
