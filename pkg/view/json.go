// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
)

// JSON writes the answer as one indented object, volume by volume, so that the
// answer about ten thousand volumes is never held in memory. Its bytes are
// those of Verification marshalled at once.
func (a Answer) JSON(to io.Writer) error {
	fs := a.findings()
	w := &jsonWriter{out: bufio.NewWriter(to)}
	w.raw("{")
	w.field("\n", "apiVersion", v1alpha1.APIVersion)
	w.field(",\n", "kind", v1alpha1.KindVerification)
	w.field(",\n", "verdict", verdict(a.Verdict()))
	w.field(",\n", "observedAt", a.observedAt())
	w.field(",\n", "summary", a.Summary())
	w.list("volumes", func(yield func(any) bool) {
		for vj := range a.Judgement.All() {
			if !yield(volume(vj)) {
				return
			}
		}
	})
	w.list("nodes", func(yield func(any) bool) {
		for i := range a.Nodes {
			if !yield(node(a.Nodes[i])) {
				return
			}
		}
	})
	w.list("findings", func(yield func(any) bool) {
		for i := range fs {
			if !yield(a.Catalogue.Findings(fs[i : i+1])[0]) {
				return
			}
		}
	})
	w.raw("\n}\n")
	if w.err == nil {
		w.err = w.out.Flush()
	}
	if w.err != nil {
		return fmt.Errorf("the answer could not be written: %w", w.err)
	}
	return nil
}

// WriteJSON writes any of the public types, indented.
func WriteJSON(to io.Writer, v any) error {
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("the answer could not be written: %w", err)
	}
	return nil
}

// jsonWriter writes one object of two levels; the first error stays.
type jsonWriter struct {
	out     *bufio.Writer
	err     error
	scratch bytes.Buffer
}

func (w *jsonWriter) raw(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *jsonWriter) value(v any, prefix string) {
	b := &w.scratch
	b.Reset()
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil {
		w.err = err
		return
	}
	if w.err == nil {
		_, w.err = w.out.Write(bytes.TrimRight(b.Bytes(), "\n"))
	}
}

func (w *jsonWriter) field(before, name string, v any) {
	w.raw(before + `  "` + name + `": `)
	w.value(v, "  ")
}

func (w *jsonWriter) list(name string, items iter.Seq[any]) {
	w.raw(",\n  \"" + name + `": [`)
	n := 0
	for item := range items {
		if n > 0 {
			w.raw(",")
		}
		n++
		w.raw("\n    ")
		w.value(item, "    ")
	}
	if n > 0 {
		w.raw("\n  ")
	}
	w.raw("]")
}
