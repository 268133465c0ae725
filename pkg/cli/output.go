// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/util/jsonpath"
)

// The values of --output beside those of each command.
const (
	outputYAML    = "yaml"
	outputName    = "name"
	outputColumns = "custom-columns="
)

// dataOutputs is how help names what printData knows.
const dataOutputs = "json, yaml, name, jsonpath=..., go-template=... or custom-columns=..."

// data is what a command prints for programs.
type data struct {
	// object is one of the public types.
	object any
	// rows is the name of its list that custom-columns has a row for each of,
	// names what -o name prints, as kind/name.
	rows  string
	names []string
}

// isData reports whether printData knows the format.
func isData(format string) bool {
	return slices.Contains([]string{outputJSON, outputYAML, outputName}, format) || strings.HasPrefix(format, outputColumns) || isTemplate(format)
}

func isTemplate(format string) bool {
	name, _, ok := strings.Cut(format, "=")
	return ok && slices.Contains(genericclioptions.NewKubeTemplatePrintFlags().AllowedFormats(), name)
}

// checkOutput checks the value of --output: one of the command's own, or one
// of those for programs, whose template must make sense.
func checkOutput(format string, own ...string) error {
	switch {
	case slices.Contains(own, format):
		return nil
	case !isData(format):
		return usagef("--output=%s is none of %s", format, strings.Join(append(slices.Clone(own), dataOutputs), ", "))
	case strings.HasPrefix(format, outputColumns):
		_, err := parseColumns(format)
		return err
	case isTemplate(format):
		if _, err := genericclioptions.NewKubeTemplatePrintFlags().ToPrinter(format); err != nil {
			return usagef("--output=%s: %w", format, err)
		}
	}
	return nil
}

// printData prints in one of the formats for programs.
func printData(to io.Writer, format string, d data) error {
	if format == outputName {
		for _, n := range d.names {
			if _, err := fmt.Fprintln(to, n); err != nil {
				return err
			}
		}
		return nil
	}
	o, err := untyped(d.object)
	if err != nil {
		return err
	}
	var p printers.ResourcePrinter
	switch {
	case strings.HasPrefix(format, outputColumns):
		return printColumns(to, format, o, d.rows)
	case format == outputJSON:
		p = &printers.JSONPrinter{}
	case format == outputYAML:
		p = &printers.YAMLPrinter{}
	default:
		if p, err = genericclioptions.NewKubeTemplatePrintFlags().ToPrinter(format); err != nil {
			return err
		}
	}
	return p.PrintObj(o, to)
}

// untyped is an object as kubectl's printers take it.
func untyped(object any) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	o := &unstructured.Unstructured{}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&o.Object); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return o, nil
}

// column is one of custom-columns: its head, and where its value is.
type column struct {
	head string
	path *jsonpath.JSONPath
}

// parseColumns reads custom-columns=HEAD:.path,HEAD:.path, as kubectl has it.
func parseColumns(format string) ([]column, error) {
	spec := strings.TrimPrefix(format, outputColumns)
	var out []column
	for part := range strings.SplitSeq(spec, ",") {
		head, path, ok := strings.Cut(part, ":")
		if !ok || head == "" || path == "" {
			return nil, usagef("--output=%s: give HEAD:.path pairs, separated by commas", format)
		}
		p := jsonpath.New(head).AllowMissingKeys(true)
		if err := p.Parse("{" + "." + strings.TrimPrefix(strings.Trim(path, "{}"), ".") + "}"); err != nil {
			return nil, usagef("--output=%s: %w", format, err)
		}
		out = append(out, column{head, p})
	}
	return out, nil
}

func printColumns(to io.Writer, format string, o *unstructured.Unstructured, rows string) error {
	columns, err := parseColumns(format)
	if err != nil {
		return err
	}
	list := []any{o.Object}
	if rows != "" {
		list, _, err = unstructured.NestedSlice(o.Object, rows)
		if err != nil {
			return fmt.Errorf("the rows of the answer: %w", err)
		}
	}
	w := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	var cells []string
	for _, c := range columns {
		cells = append(cells, c.head)
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
	for _, item := range list {
		cells = cells[:0]
		for _, c := range columns {
			var b strings.Builder
			if err := c.path.Execute(&b, item); err != nil {
				return fmt.Errorf("column %s: %w", c.head, err)
			}
			cell := b.String()
			if cell == "" {
				cell = "<none>"
			}
			cells = append(cells, cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}
