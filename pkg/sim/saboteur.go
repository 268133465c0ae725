// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"

	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// saboteur breaks the tool, to see that whoever judges it notices: its loop, and
// what it sends. Both may be nil.
type saboteur struct {
	tool   func(roll.Config) roll.Config
	tamper func(body map[string]any)
}

// broken is the loop with what a test has broken in it.
func (s saboteur) broken(cfg roll.Config) roll.Config {
	if s.tool == nil {
		return cfg
	}
	return s.tool(cfg)
}

// sent is the body of a request as it arrives.
func (s saboteur) sent(body []byte) []byte {
	if s.tamper == nil || len(body) == 0 {
		return body
	}
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return body
	}
	s.tamper(m)
	out, err := json.Marshal(m)
	if err != nil {
		return body
	}
	return out
}
