// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// repository is the root, seen from here.
const repository = "../.."

// page is one page of the documentation.
type page struct {
	path  string // from the root
	lines []string
}

// pages are all pages of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	var out []page
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && slices.Contains([]string{".git", "dist", "bin"}, d.Name()) {
			return cmpErr(err, filepath.SkipDir)
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repository, path)
		out = append(out, page{filepath.ToSlash(rel), strings.Split(string(text), "\n")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d pages were found", len(out))
	}
	return out
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// block is fenced or indented code.
type block struct {
	lang  string // empty where it is indented
	from  string // what the comment before it says
	line  int
	lines []string
}

// blocks are the code of a page. A line before a fence may say where its text
// comes from: <!-- from: FILE [SECTION] -->.
func (p page) blocks() []block {
	var out []block
	open := false
	from := ""
	for i, line := range p.lines {
		lang, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			out = append(out, block{lang: lang, from: from, line: i + 1})
		case open:
			out[len(out)-1].lines = append(out[len(out)-1].lines, line)
		case strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "":
			if i == 0 || !strings.HasPrefix(p.lines[i-1], "    ") || len(out) == 0 {
				out = append(out, block{line: i + 1})
			}
			out[len(out)-1].lines = append(out[len(out)-1].lines, line[4:])
		}
		if m := regexp.MustCompile(`^<!-- from: (.*) -->$`).FindStringSubmatch(line); m != nil {
			from = m[1]
		} else if !open {
			from = ""
		}
	}
	return out
}

// TestDocs_EveryLinkLeadsSomewhere follows the links that stay in the
// repository, to the file and to the heading.
func TestDocs_EveryLinkLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	all := pages(t)
	headings := map[string]map[string]bool{}
	for _, p := range all {
		headings[p.path] = p.headings()
	}
	n := 0
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(strings.ReplaceAll(strings.Join(p.lines, "\n"), "\n", " "), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			n++
			path := p.path
			if to != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), to))
			}
			if _, err := os.Stat(filepath.Join(repository, path)); err != nil {
				t.Errorf("%s links to %s, and there is no such file", p.path, m[1])
			}
			if anchor != "" && filepath.Ext(path) == ".md" && !headings[path][anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", p.path, m[1], path)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d links were followed", n)
	}
}

// headings are what a link may name, as code hosts spell them.
func (p page) headings() map[string]bool {
	out := map[string]bool{}
	for _, line := range p.lines {
		text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !strings.HasPrefix(line, "#") || !ok {
			continue
		}
		text = strings.ReplaceAll(strings.ToLower(text), " ", "-")
		out[regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(text, "")] = true
	}
	return out
}

// TestDocs_EveryPageIsInTheIndex keeps pages from being written and never found.
func TestDocs_EveryPageIsInTheIndex(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(repository, "docs/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages(t) {
		if rel, ok := strings.CutPrefix(p.path, "docs/"); ok && rel != "README.md" && !strings.Contains(string(index), "]("+rel+")") {
			t.Errorf("%s is not in docs/README.md", p.path)
		}
	}
}

// TestDocs_EveryCommandParses asks the program for every command and flag that
// a page names.
func TestDocs_EveryCommandParses(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		if p.path == "docs/reference.md" { // written by the program
			continue
		}
		for _, b := range p.blocks() {
			for _, args := range commandsIn(b.lines) {
				n++
				if err := parses(args); err != nil {
					t.Errorf("%s:%d: kubectl safe-roll %s: %v", p.path, b.line, strings.Join(args, " "), err)
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands were found", n)
	}
}

// commandsIn are the words after "kubectl safe-roll" in lines of a shell.
func commandsIn(lines []string) [][]string {
	var out [][]string
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "\\\n", " ")
	for line := range strings.SplitSeq(text, "\n") {
		_, after, ok := strings.Cut(line, "kubectl safe-roll")
		// A sentence that names a command is no command.
		before := strings.TrimSpace(line[:max(0, len(line)-len(after)-len("kubectl safe-roll"))])
		if ok && regexp.MustCompile(`^(\$|if|if !|until|exec|-|run:|&&|[A-Z_]+=\S*|)$`).MatchString(before) {
			out = append(out, words(after))
		}
	}
	return out
}

// words splits a line as a shell would, up to its first operator or comment.
func words(line string) []string {
	var out []string
	var word strings.Builder
	quote, begun := rune(0), false
	end := func() {
		if begun {
			out = append(out, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ':
			end()
		case strings.ContainsRune("|;&>#", c):
			end()
			return out
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	end()
	return out
}

func parses(args []string) error {
	app := App{Streams: genericiooptions.NewTestIOStreamsDiscard(), Program: "kubectl-safe_roll", Version: "v0", Storages: plugins.All()}
	root := newRoot(app)
	args = slices.DeleteFunc(args, func(a string) bool { return a == "…" || strings.HasSuffix(a, "...") })
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if cmd == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("there is no command %s", rest[0])
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.HasSubCommands() || cmd == root {
		return nil
	}
	return arguments(cmd)
}

// arguments are accepted where their number is.
func arguments(cmd *cobra.Command) error {
	given := cmd.Flags().Args()
	for _, a := range given {
		if strings.ContainsAny(a, "[]|") { // a pattern for people
			return nil
		}
	}
	if cmd.Args == nil {
		return nil
	}
	return cmd.Args(cmd, given)
}
