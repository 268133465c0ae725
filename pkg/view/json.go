// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

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
	w.list("volumes", len(a.Judgement.Volumes), func(i int) any { return volume(&a.Judgement.Volumes[i]) })
	w.list("nodes", len(a.Nodes), func(i int) any { return node(a.Nodes[i]) })
	w.list("findings", len(fs), func(i int) any { return Findings(fs[i : i+1])[0] })
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
	out *bufio.Writer
	err error
}

func (w *jsonWriter) raw(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *jsonWriter) value(v any, prefix string) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil {
		w.err = err
		return
	}
	w.raw(string(bytes.TrimRight(b.Bytes(), "\n")))
}

func (w *jsonWriter) field(before, name string, v any) {
	w.raw(before + `  "` + name + `": `)
	w.value(v, "  ")
}

func (w *jsonWriter) list(name string, n int, item func(int) any) {
	w.raw(",\n  \"" + name + `": [`)
	for i := range n {
		if i > 0 {
			w.raw(",")
		}
		w.raw("\n    ")
		w.value(item(i), "    ")
	}
	if n > 0 {
		w.raw("\n  ")
	}
	w.raw("]")
}
