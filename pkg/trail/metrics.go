// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// metricsEvery is the least time between two writes of the file that only a
// wait brings; what else happens is written at once.
const metricsEvery = 5 * time.Second

// Metrics keeps a file in Prometheus' text format up to date, for node
// exporter's textfile collector or to be pushed. The file is replaced whole.
type Metrics struct {
	path    string
	version string
	written time.Time
	err     error

	run         string
	turn, turns int
	node        string
	phase       decide.Phase
	left        int
	state       string
	exit        int
	looked      time.Time
	volumes     map[string]int
	deeds       map[[2]string]int
}

// NewMetrics returns a Metrics that writes to path; version is the program's.
// It fails where the file cannot be written.
func NewMetrics(path, version string) (*Metrics, error) {
	m := &Metrics{path: path, version: version, state: "running", volumes: map[string]int{}, deeds: map[[2]string]int{}}
	m.flush(time.Now())
	return m, m.err
}

// Watch is a roll.Watcher.
func (m *Metrics) Watch(r roll.Report) {
	if r.Plan != nil {
		m.locate(r)
	}
	if r.Judgement != nil {
		m.looked, m.volumes = r.Judgement.Now, counted(r.Judgement)
	}
	waits := false
	switch d := r.Decision.(type) {
	case decide.Wait:
		waits = true
		m.phase, m.left = d.Phase, len(d.Left)
	case decide.Act:
		m.phase, m.left = d.Phase, 0
	case decide.Remember:
		m.phase, m.left = d.Phase, 0
	case decide.Halt, decide.Done:
	}
	switch r.Kind {
	case roll.ReportActed:
		m.deeds[[2]string{string(r.Action.Verb), string(r.Outcome.Result)}]++
	case roll.ReportHalted:
		m.state = "halted"
	case roll.ReportFinished:
		m.state = "finished"
	default:
	}
	if now := time.Now(); !waits || now.Sub(m.written) >= metricsEvery {
		m.flush(now)
	}
}

// Close writes the end: the exit code, and that nobody rolls any more. It
// returns the first error that the file met.
func (m *Metrics) Close(exit int) error {
	m.exit = exit
	if m.state == "running" {
		m.state = "stopped"
	}
	m.flush(time.Now())
	return m.err
}

func (m *Metrics) locate(r roll.Report) {
	m.run, m.turns, m.turn, m.node = r.Plan.Run, len(r.Plan.Turns), 0, ""
	if r.Memory == nil {
		return
	}
	m.turn = len(r.Memory.Turns)
	if t := r.Memory.Current(); t != nil {
		m.node = t.Node.Name
	}
}

func counted(j *assess.Judgement) map[string]int {
	out := map[string]int{}
	for i := range j.Volumes {
		out[strings.ToLower(j.Volumes[i].Condition.String())]++
	}
	return out
}

// flush replaces the file. The first error stays, and later writes are tried
// all the same.
func (m *Metrics) flush(now time.Time) {
	m.written = now
	tmp, err := os.CreateTemp(filepath.Dir(m.path), filepath.Base(m.path)+".*")
	if err == nil {
		_, err = tmp.WriteString(m.text(now))
		if closed := tmp.Close(); err == nil {
			err = closed
		}
		if err == nil {
			err = os.Chmod(tmp.Name(), 0o644) // another user's collector reads it
		}
		if err == nil {
			err = os.Rename(tmp.Name(), m.path)
		}
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("the metrics file: %w", err)
	}
}

// text is the file.
func (m *Metrics) text(now time.Time) string {
	var b strings.Builder
	one := func(name, kind, help string, samples ...string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, s := range samples {
			b.WriteString(name + s + "\n")
		}
	}
	one("safe_roll_info", "gauge", "The roll that this file is about.", fmt.Sprintf("{run=%q,version=%q} 1", m.run, m.version))
	var states []string
	for _, s := range []string{"running", "stopped", "halted", "finished"} {
		is := 0
		if s == m.state {
			is = 1
		}
		states = append(states, fmt.Sprintf("{state=%q} %d", s, is))
	}
	one("safe_roll_state", "gauge", "1 for the state that the roll is in.", states...)
	one("safe_roll_exit_code", "gauge", "The exit code of the program; 0 while it runs.", fmt.Sprintf(" %d", m.exit))
	one("safe_roll_turns", "gauge", "Nodes in the plan.", fmt.Sprintf(" %d", m.turns))
	one("safe_roll_turn", "gauge", "Turns begun so far.", fmt.Sprintf(" %d", m.turn))
	one("safe_roll_phase", "gauge", "1 for the phase that the roll is in.", fmt.Sprintf("{phase=%q,node=%q} 1", m.phase, m.node))
	one("safe_roll_waiting_for", "gauge", "How many things the wait in hand still misses.", fmt.Sprintf(" %d", m.left))
	one("safe_roll_volumes", "gauge", "Volumes by condition at the last look.", labelled("condition", m.volumes)...)
	var deeds []string
	for _, k := range slices.SortedFunc(maps.Keys(m.deeds), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		deeds = append(deeds, fmt.Sprintf("{verb=%q,outcome=%q} %d", k[0], k[1], m.deeds[k]))
	}
	one("safe_roll_deeds_total", "counter", "Deeds of this run of the program.", deeds...)
	one("safe_roll_last_look_timestamp_seconds", "gauge", "When the cluster was last seen.", stamped(m.looked))
	one("safe_roll_written_timestamp_seconds", "gauge", "When this file was written.", stamped(now))
	return b.String()
}

func labelled(label string, counts map[string]int) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("{%s=%q} %d", label, k, counts[k]))
	}
	return out
}

func stamped(t time.Time) string {
	if t.IsZero() {
		return " 0"
	}
	return fmt.Sprintf(" %d", t.Unix())
}
