// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// explainOptions are the flags of explain, completed.
type explainOptions struct {
	app       App
	conn      *connection
	files     []string
	recursive bool
	output    string
}

func newExplain(app App, conn *connection, display string) *cobra.Command {
	o := &explainOptions{app: app, conn: conn, output: outputText}
	cmd := &cobra.Command{
		Use:   "explain [CODE | VOLUME]",
		Short: "What a finding means and what to do; or why one volume is judged as it is",
		Long: `With a code: what the finding means, what to do, and what not to do. Without
anything: all codes. With a volume, by its own name or that of its claim
(NAMESPACE/NAME), PersistentVolume, engine or replica: everything from the claim
to the directory of each replica, and what follows from it. Changes nothing.`,
		Example: examples(display,
			"% explain",
			"% explain volume/one-copy-left",
			"% explain users/alice                    # by its claim",
			"% explain pvc-4f1b --probe               # look into its directories too",
			"% explain pvc-4f1b -f dump -o json       # from files"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly("one code or volume")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(args); err != nil {
				return err
			}
			if len(args) == 0 {
				return failed(catalogue(app.Storages).List(app.Streams.Out, styleOf(app.Streams.Out)))
			}
			return o.explain(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "look for the volume in a file or directory instead of a cluster, or - for standard input")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "read the directories below those of -f too")
	f.StringVarP(&o.output, "output", "o", o.output, "text; or, of a volume, "+dataOutputs)
	conn.addProbe(f)
	return cmd
}

func (o *explainOptions) validate(args []string) error {
	switch {
	case len(args) == 0 && len(o.files) > 0:
		return usagef("-f says where to look for a volume: name it")
	case o.recursive && len(o.files) == 0:
		return usagef("-R reads directories: it needs -f DIR")
	}
	if err := checkOutput(o.output, outputText); err != nil {
		return err
	}
	return o.conn.liveOnly(o.files)
}

// explain explains a code without asking a cluster; any other word is looked
// for among the volumes.
func (o *explainOptions) explain(ctx context.Context, word string) error {
	c, out := catalogue(o.app.Storages), o.app.Streams.Out
	doc, isCode := c[word]
	if isCode && len(o.files) == 0 && o.output == outputText {
		return failed(doc.Explain(out, styleOf(out)))
	}
	if near := likely(c, word); !isCode && len(near) > 0 {
		return failed(fmt.Errorf("there is no code %q; there is %s", word, few(near)))
	}
	s, err := o.observe(ctx)
	if err != nil {
		why := failed(err) // in words that name what to look at
		return failed(fmt.Errorf("there is no code %q (explain without a code lists all), and whether a volume is called so cannot be told: %s", word, why.Error()))
	}
	j := judge(s, policy.Default())
	found := named(j, word)
	switch {
	case isCode && len(found) > 0:
		return failed(fmt.Errorf("%q is a code and the claim of volume %s: name the volume, or leave -f and -o out for the code", word, found[0].Volume.Name))
	case isCode:
		return usagef("%s is a code and no volume: leave -f and -o out", word)
	case len(found) == 0:
		return failed(unknownName(j, c.Sorted(), word))
	case len(found) > 1:
		return failed(fmt.Errorf("%d volumes are called %q: %s; name one", len(found), word, few(foundNames(found))))
	}
	e := view.Explained{Judgement: j, Volume: found[0], Catalogue: c}
	if o.output == outputText {
		return failed(e.Text(out, styleOf(out)))
	}
	return failed(printData(out, o.output, data{
		object: e.Explanation(), rows: "replicas", names: []string{"volume/" + found[0].Volume.Name},
	}))
}

func (o *explainOptions) observe(ctx context.Context) (*cluster.Snapshot, error) {
	if len(o.files) > 0 {
		return o.conn.files(o.files, o.recursive)
	}
	return o.conn.observe(ctx)
}

// named returns the volumes that people may call so: by the volume's name, or
// else that of its PersistentVolume, claim, engine or a replica.
func named(j *assess.Judgement, word string) []*assess.VolumeJudgement {
	if v := j.Volume(word); v != nil {
		return []*assess.VolumeJudgement{v}
	}
	var out []*assess.VolumeJudgement
	for i := range j.Volumes {
		if v := &j.Volumes[i]; slices.Contains(names(v), word) || v.ClaimName == word && word != "" {
			out = append(out, v)
		}
	}
	return out
}

// names are all names of what belongs to a volume.
func names(v *assess.VolumeJudgement) []string {
	out := []string{v.Volume.Name}
	for _, n := range []string{v.Volume.Handle, v.PV, v.Volume.Engine.Name} {
		if n != "" {
			out = append(out, n)
		}
	}
	if v.ClaimName != "" {
		out = append(out, v.ClaimNamespace+"/"+v.ClaimName)
	}
	for i := range v.Volume.Replicas {
		out = append(out, v.Volume.Replicas[i].Name)
	}
	return out
}

func foundNames(vs []*assess.VolumeJudgement) []string {
	out := make([]string, 0, len(vs))
	for _, v := range vs {
		out = append(out, v.Volume.Name)
	}
	return out
}

// unknownName answers a word that is neither a code nor a volume.
func unknownName(j *assess.Judgement, codes []string, word string) error {
	var all, volumes []string
	for i := range j.Volumes {
		all, volumes = append(all, names(&j.Volumes[i])...), append(volumes, j.Volumes[i].Volume.Name)
	}
	for _, g := range j.Snapshot.Gaps {
		if g.OfStorage && g.Needed {
			return fmt.Errorf("there is no code %q, and whether a volume is called so cannot be told: %s", word, g.Detail)
		}
	}
	if near := nearest(word, all); near != "" {
		return fmt.Errorf("there is no code and no volume %q; did you mean %s?", word, near)
	}
	if part := withPart(codes, word); len(part) > 0 {
		return fmt.Errorf("there is no code and no volume %q; there is %s", word, few(part))
	}
	return fmt.Errorf("there is no code and no volume %q (explain without a code lists all codes); the volumes are %s", word, few(volumes))
}

// withPart are the codes of which the word is the part before or after the slash.
func withPart(codes []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool {
		area, rest, _ := strings.Cut(code, "/")
		return area != word && rest != word
	})
}

// likely returns the codes that were probably meant: the nearest, or all of the
// area before the slash. A claim is spelled with a slash too; only an area that
// exists makes it a code.
func likely(c view.Catalogue, word string) []string {
	if !strings.Contains(word, "/") {
		return nil
	}
	if near := nearest(word, c.Sorted()); near != "" {
		return []string{near}
	}
	area, _, _ := strings.Cut(word, "/")
	var same []string
	for _, have := range c.Sorted() {
		if strings.HasPrefix(have, area+"/") {
			same = append(same, have)
		}
	}
	return same
}
