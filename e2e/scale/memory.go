// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const memoryInterval = 20 * time.Millisecond

// watchMemory looks at the processes of a group until done is closed, and then
// sends the largest peak of any of them, in bytes. What wait4 says of a process
// includes the memory of whoever started it, and of what it was before exec.
func watchMemory(group int, done <-chan struct{}) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		tick := time.NewTicker(memoryInterval)
		defer tick.Stop()
		for {
			most = max(most, largest(group))
			select {
			case <-tick.C:
			case <-done:
				peak <- most
				return
			}
		}
	}()
	return peak
}

// largest is the largest peak among the group's processes that live now.
func largest(group int) int64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	var most int64
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// After the name in parentheses: state, parent, process group.
		after := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if len(after) < 3 || after[2] != strconv.Itoa(group) {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status"))
		if err != nil {
			continue
		}
		_, line, _ := strings.Cut(string(status), "VmHWM:")
		var kib int64
		if _, err := fmt.Sscan(line, &kib); err == nil {
			most = max(most, kib<<10)
		}
	}
	return most
}
