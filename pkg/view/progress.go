// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// How often is spoken where nothing changes, how often where only the count of
// what is left does, and how long a wait is before it is worth a line.
const (
	silence = 30 * time.Second
	steady  = 10 * time.Second
	brief   = 900 * time.Millisecond
)

// Progress tells a person what a roll does: one line per fact that matters,
// and, on a terminal, one line that moves. It never writes to where results go.
type Progress struct {
	mu    sync.Mutex
	out   io.Writer
	style Style
	still *still
	place place
	wait  waiting
	pace  pace
	// said is the last line, and when.
	said   string
	saidAt time.Time
	stop   chan struct{}
	done   chan struct{}
}

// NewProgress returns a Progress that writes to out. Close ends it.
func NewProgress(out io.Writer, style Style) *Progress {
	p := &Progress{out: out, style: style, stop: make(chan struct{}), done: make(chan struct{})}
	if style.Terminal {
		p.still = newStill(out, style)
	}
	go p.heartbeat()
	return p
}

// Close ends the line that moves. Nothing is written afterwards.
func (p *Progress) Close() {
	close(p.stop)
	<-p.done
	if p.still != nil {
		p.still.close()
	}
}

// heartbeat breaks a silence: a command may run for an hour, and no report
// comes meanwhile.
func (p *Progress) heartbeat() {
	defer close(p.done)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-t.C:
			p.mu.Lock()
			p.beat(now)
			p.mu.Unlock()
		}
	}
}

// beat tells a wait that has turned out not to be brief, and, where no line
// moves, that nothing has changed for long.
func (p *Progress) beat(now time.Time) {
	switch {
	case !p.wait.told && p.wait.what != "" && now.Sub(p.wait.since) >= brief:
		p.wait.told = true
		p.say(p.wait.text(now))
	case p.still == nil && now.Sub(p.saidAt) >= silence:
		if text := p.wait.text(now); text != "" {
			p.say(text)
		}
	}
}

// Watch is a roll.Watcher.
func (p *Progress) Watch(r roll.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report(r)
	if p.still != nil {
		p.still.tell(p.place, p.wait)
	}
}

func (p *Progress) report(r roll.Report) {
	if r.Plan != nil {
		p.place.locate(r)
	}
	switch r.Kind {
	case roll.ReportStarted:
		p.say("begun: " + route(r.Plan))
	case roll.ReportResumed:
		p.say("going on with run " + r.Plan.Run + ": " + route(r.Plan))
	case roll.ReportDecided:
		if r.Judgement != nil {
			p.pace.see(r.Judgement, p.place, time.Now())
		}
		p.decided(r.Decision)
	case roll.ReportActing:
		p.wait = waiting{doing: r.Action.Why, since: time.Now()}
		p.say(r.Action.Why)
	case roll.ReportActed:
		p.acted(r)
	case roll.ReportNoted:
		p.say(r.Text)
	case roll.ReportTrouble:
		p.trouble(r.Text)
	case roll.ReportUndoing:
		p.say("taking back: " + changed(*r.Action))
	case roll.ReportHalted, roll.ReportFinished:
		p.wait = waiting{}
	}
}

func (p *Progress) decided(d decide.Decision) {
	w, ok := d.(decide.Wait)
	if !ok {
		if !p.wait.told { // it is over, and was too brief for a line
			p.wait = waiting{}
		}
		return
	}
	now := time.Now()
	if w.Phase != p.wait.phase || p.wait.doing != "" {
		p.wait = waiting{phase: w.Phase, since: now}
		p.wait.set(w)
		p.wait.pace, p.wait.brief = p.pace.text(), p.pace.brief()
		return
	}
	moved := w.Progress != p.wait.progress || w.For != p.wait.what
	p.wait.set(w)
	p.wait.pace, p.wait.brief = p.pace.text(), p.pace.brief()
	if moved && p.wait.told && p.still == nil && now.Sub(p.saidAt) >= steady {
		p.say(p.wait.text(now))
	}
}

func (p *Progress) acted(r roll.Report) {
	switch {
	case r.Outcome.Result != decide.Performed:
		p.say(string(r.Outcome.Result) + ": " + or(r.Outcome.Detail, r.Action.Why))
	case r.Action.Verb == decide.RunCommand:
		p.say("the " + string(r.Action.Command) + " command has ended well" + after(p.wait.since))
	}
	p.wait = waiting{}
}

func after(since time.Time) string {
	if since.IsZero() || time.Since(since) < time.Second {
		return ""
	}
	return " after " + short(time.Since(since))
}

// trouble tells a failed read once, and again when it goes on.
func (p *Progress) trouble(text string) {
	line := "cannot read the cluster, trying again: " + text
	if line != p.said || time.Since(p.saidAt) >= silence {
		p.say(line)
	}
}

// Say writes a line of its own.
func (p *Progress) Say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say(text)
}

// say writes one line. The caller holds the lock.
func (p *Progress) say(text string) {
	now := time.Now()
	line := now.Format("15:04:05") + "  " + p.place.String() + text
	p.said, p.saidAt = text, now
	if p.still != nil {
		p.still.above(p.style.hang(line))
		return
	}
	fmt.Fprintln(p.out, p.style.printable(line))
}

// Lines returns a writer for the output of commands: each line is told as one
// of theirs.
func (p *Progress) Lines() io.Writer { return &lines{to: p} }

type lines struct {
	to   *Progress
	part []byte
}

// Write tells every line that is complete.
func (l *lines) Write(b []byte) (int, error) {
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	l.part = append(l.part, b...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			return len(b), nil
		}
		l.to.say("| " + string(bytes.TrimRight(l.part[:i], "\r")))
		l.part = l.part[i+1:]
	}
}
