// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// The values of --output.
const (
	outputText = "text"
	outputWide = "wide"
	outputJSON = "json"
)

// styleOf is how text is laid out on a stream: colour, width and moving lines
// only on a terminal, and no colour under NO_COLOR (https://no-color.org) or
// on a dumb one.
func styleOf(w io.Writer) view.Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return view.Style{}
	}
	s := view.Style{Terminal: os.Getenv("TERM") != "dumb"}
	s.Colour = s.Terminal && os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.Width = width
	}
	return s
}

// asks reports whether a person can be asked: both ends are a terminal.
func asks(app App) bool {
	in, ok := app.Streams.In.(*os.File)
	return ok && term.IsTerminal(int(in.Fd())) && styleOf(app.Streams.ErrOut) != view.Style{}
}

// confirm asks a person, and returns nil for a yes. Anything else is a no; an
// interruption is one too.
func confirm(ctx context.Context, app App, question string) error {
	fmt.Fprint(app.Streams.ErrOut, question+" [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(app.Streams.In).ReadString('\n') // no line is a no
		answer <- line
	}()
	no := &exitError{code: ExitInterrupted}
	select {
	case <-ctx.Done():
		fmt.Fprintln(app.Streams.ErrOut)
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return nil
		}
	}
	fmt.Fprintln(app.Streams.ErrOut, "Not confirmed; nothing was changed.")
	return no
}
