// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// Pause is a reason for which a storage does nothing about a volume, on purpose
// and for a time.
type Pause struct {
	// Until is when it ends by itself; zero where it ends with something else.
	Until time.Time
	// Why is one sentence in the storage's words.
	Why string
}
