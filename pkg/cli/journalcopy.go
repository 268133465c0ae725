// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
)

// journalCopy is the path of a file that gets every line of the journal that
// this process writes. It is opened for each write, so that whoever moves it
// away in between gets a new one.
type journalCopy string

// copyOf returns the writer of a copy, nil for no path.
func copyOf(path string) io.Writer {
	if path == "" {
		return nil
	}
	return journalCopy(path)
}

// Write implements io.Writer.
func (c journalCopy) Write(lines []byte) (int, error) {
	f, err := os.OpenFile(string(c), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := f.Write(lines)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil && closed != nil {
		err = fmt.Errorf("close: %w", closed)
	}
	return n, err
}
