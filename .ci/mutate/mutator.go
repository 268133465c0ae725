// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
)

// mutator collects what is to be inserted into the source of one file. Every
// mutant stands around a node, so what opens at a place goes outer first, and
// what closes there inner first.
type mutator struct {
	name    string
	text    []byte
	set     *token.FileSet
	tree    *ast.File
	next    int
	mutants []mutant
	opens   []insertion
	closes  []insertion
	// operators replace what stands there.
	operators []insertion
}

type insertion struct {
	at, over int
	text     string
}

func (m *mutator) file(name string) ([]byte, error) {
	var err error
	if m.text, err = os.ReadFile(name); err != nil {
		return nil, err
	}
	m.set = token.NewFileSet()
	if m.tree, err = parser.ParseFile(m.set, name, m.text, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, d := range m.tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			ast.Inspect(f.Body, m.visit)
		}
	}
	return m.apply(), nil
}

func (m *mutator) apply() []byte {
	slices.Reverse(m.closes)
	all := slices.Concat(m.closes, m.opens, m.operators)
	slices.SortStableFunc(all, func(a, b insertion) int { return a.at - b.at })
	var out bytes.Buffer
	done := 0
	for _, e := range all {
		out.Write(m.text[done:e.at])
		out.WriteString(e.text)
		done = e.at + e.over
	}
	out.Write(m.text[done:])
	return out.Bytes()
}

func (m *mutator) offset(p token.Pos) int { return m.set.Position(p).Offset }

// mutant notes one and returns its number.
func (m *mutator) mutant(n ast.Node, what string) int {
	line := m.set.Position(n.Pos()).Line
	code := strings.TrimSpace(string(bytes.Split(m.text, []byte("\n"))[line-1]))
	m.mutants = append(m.mutants, mutant{m.name, code, what})
	m.next++
	return m.next - 1
}

func (m *mutator) wrap(n ast.Node, before, after string) {
	m.opens = append(m.opens, insertion{m.offset(n.Pos()), 0, before})
	m.closes = append(m.closes, insertion{m.offset(n.End()), 0, after})
}

func (m *mutator) words(n ast.Node) string {
	return string(m.text[m.offset(n.Pos()):m.offset(n.End())])
}

// visit makes the mutants of one node.
func (m *mutator) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		m.condition(n.Cond)
	case *ast.SwitchStmt:
		m.cases(n)
	case *ast.BlockStmt:
		m.statements(n.List)
	case *ast.CaseClause:
		m.statements(n.Body)
		return true
	case *ast.BinaryExpr:
		m.binary(n)
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			k := m.mutant(n, "without the ! of "+m.words(n))
			m.wrap(n, fmt.Sprintf("((mutantOn == %d) != (", k), "))")
		}
	case *ast.Ident:
		m.literal(n)
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "cluster" {
			m.swap(n, n.Sel.Name) // a word of another package; else it is a field
		}
		ast.Inspect(n.X, m.visit)
		return false
	case *ast.KeyValueExpr:
		ast.Inspect(n.Value, m.visit)
		return false
	}
	return true
}

// condition makes one that always holds, and one that never does.
func (m *mutator) condition(c ast.Expr) {
	always, never := m.mutant(c, "if "+m.words(c)+": always"), m.mutant(c, "if "+m.words(c)+": never")
	m.wrap(c, fmt.Sprintf("(mutantOn == %d || mutantOn != %d && (", always, never), "))")
}

// cases takes cases out of a switch: their words never match.
func (m *mutator) cases(s *ast.SwitchStmt) {
	for _, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if s.Tag == nil {
				m.condition(e)
				continue
			}
			k := m.mutant(e, "without case "+m.words(e))
			m.wrap(e, fmt.Sprintf("mutantGone(%d, ", k), ")")
		}
	}
}

// statements leaves out what can be left out without breaking the build.
func (m *mutator) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.BranchStmt:
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		default:
			continue
		}
		first, _, _ := strings.Cut(m.words(s), "\n")
		k := m.mutant(s, "without "+first)
		m.wrap(s, fmt.Sprintf("if mutantOn != %d { ", k), " }")
	}
}

func (m *mutator) binary(b *ast.BinaryExpr) {
	switch b.Op {
	case token.LAND:
		for _, side := range []ast.Expr{b.X, b.Y} {
			k := m.mutant(side, "without && "+m.words(side))
			m.wrap(side, fmt.Sprintf("(mutantOn == %d || (", k), "))")
		}
	case token.LOR:
		for _, side := range []ast.Expr{b.X, b.Y} {
			k := m.mutant(side, "without || "+m.words(side))
			m.wrap(side, fmt.Sprintf("(mutantOn != %d && (", k), "))")
		}
	case token.EQL, token.NEQ:
		k := m.mutant(b, "the contrary of "+m.words(b))
		m.wrap(b, "((", fmt.Sprintf(") != (mutantOn == %d))", k))
	case token.LSS:
		m.compare(b, "mutantLess, mutantAtMost", "<=")
	case token.LEQ:
		m.compare(b, "mutantAtMost, mutantLess", "<")
	case token.GTR:
		m.compare(b, "mutantMore, mutantAtLeast", ">=")
	case token.GEQ:
		m.compare(b, "mutantAtLeast, mutantMore", ">")
	}
}

// compare moves the border of a comparison.
func (m *mutator) compare(b *ast.BinaryExpr, functions, other string) {
	k := m.mutant(b, m.words(b)+" with "+other)
	m.wrap(b, fmt.Sprintf("mutantCmp(%d, ", k), ", "+functions+")")
	m.operators = append(m.operators, insertion{m.offset(b.OpPos), len(b.Op.String()), ","})
}

func (m *mutator) literal(i *ast.Ident) {
	switch i.Name {
	case "true":
		m.wrap(i, "(", fmt.Sprintf(" == (mutantOn != %d))", m.mutant(i, "false for true")))
	case "false":
		m.wrap(i, "(", fmt.Sprintf(" != (mutantOn == %d))", m.mutant(i, "true for false")))
	default:
		m.swap(i, i.Name)
	}
}

// swap puts one word of the verdict in the place of another.
func (m *mutator) swap(n ast.Expr, word string) {
	other := map[string]string{
		"Yes": "No", "No": "Yes", "Unknown": "Yes",
		"StandingGood": "StandingUnknown", "StandingUnknown": "StandingGood", "StandingAbsent": "StandingGood",
		"StandingFailed": "StandingGood", "StandingRebuilding": "StandingGood", "StandingLeaving": "StandingGood",
		"StandingUnproven": "StandingGood", "StandingUnused": "StandingGood",
		"Proven": "ProofNone", "Plausible": "Proven", "ProofNone": "Proven",
		"Safe": "Unsafe", "Unsafe": "Safe", "VerdictUnknown": "Safe",
		"Danger": "Note", "Unclear": "Note", "Note": "Danger",
		"Whole": "Degraded", "Degraded": "Whole", "Lost": "Whole", "ConditionUnknown": "Whole", "Busy": "Whole", "Going": "Whole",
	}[word]
	if other == "" || m.name == "judgement.go" {
		return
	}
	from := m.words(n)
	to := strings.TrimSuffix(from, word) + other
	k := m.mutant(n, to+" for "+from)
	m.wrap(n, fmt.Sprintf("mutantOr(%d, ", k), ", "+to+")")
}
