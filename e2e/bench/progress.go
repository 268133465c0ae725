// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progressEvery is how often a build says how far it is.
const progressEvery = 5 * time.Second

// progress reads what the go command writes to stderr (-v prints one line per
// compiled package) and condenses it to a line every few seconds.
type progress struct {
	program Program
	out     io.Writer
	began   time.Time
	total   int // packages of the program; 0: not known yet

	mu         sync.Mutex
	partial    []byte
	compiled   int
	linking    bool // the last package, the program's own, has been reached
	downloaded int
	other      []string // neither package nor download: errors
	end        chan struct{}
	once       sync.Once
	idle       sync.WaitGroup
}

func newProgress(out io.Writer, of Program) *progress {
	p := &progress{program: of, out: out, began: time.Now(), end: make(chan struct{})}
	fmt.Fprintf(out, "building %s (once; about %d CPU minutes from nothing)\n", of.Title, of.Minutes)
	p.idle.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.end:
				return
			case <-tick.C:
				fmt.Fprintln(p.out, p.line())
			}
		}
	})
	return p
}

// Write takes the go command's stderr.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partial = append(p.partial, b...)
	for {
		line, rest, ok := bytes.Cut(p.partial, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		p.count(string(line))
		p.partial = rest
	}
}

func (p *progress) count(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloaded++
	case line != "" && !strings.ContainsAny(line, " \t"):
		p.compiled++
		p.linking = strings.HasSuffix(line, "/"+p.program.Name)
	default:
		p.other = append(p.other, line)
		if len(p.other) > 40 {
			p.other = p.other[1:]
		}
	}
}

func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.began).Round(time.Second)
	switch {
	case p.linking:
		return fmt.Sprintf("  %d packages compiled, linking, %s", p.compiled, elapsed)
	case p.compiled == 0 && p.downloaded == 0:
		return fmt.Sprintf("  looking for what the Go build cache lacks, %s", elapsed)
	case p.compiled == 0:
		return fmt.Sprintf("  %d modules downloaded, %s", p.downloaded, elapsed)
	}
	return fmt.Sprintf("  %d packages compiled of at most %d, %s", p.compiled, p.total, elapsed)
}

// setTotal says how many packages the program consists of.
func (p *progress) setTotal(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = n
}

// tail is what the go command said besides its progress.
func (p *progress) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(append(p.other, string(p.partial)), "\n")
}

func (p *progress) stop() {
	p.once.Do(func() { close(p.end) })
	p.idle.Wait()
}

func (p *progress) done() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "built %s: %d packages compiled in %s\n", p.program.Title, p.compiled, time.Since(p.began).Round(time.Second))
}
