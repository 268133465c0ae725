// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"net/http"
	"sync"
	"time"
)

// clock learns from the Date of every answer how far the server's clock is
// from this machine's. A Date has whole seconds and was written between the
// sending of the request and the coming of the answer, so each answer gives a
// range; what all of them allow is the skew.
type clock struct {
	mu          sync.Mutex
	known       bool
	least, most time.Duration
}

// listen wraps a transport.
func (c *clock) listen(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		sent := time.Now()
		resp, err := next.RoundTrip(r)
		if err == nil {
			if date, bad := http.ParseTime(resp.Header.Get("Date")); bad == nil {
				c.heard(date, sent, time.Now())
			}
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *clock) heard(date, sent, came time.Time) {
	least, most := date.Sub(came), date.Add(time.Second).Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known && least <= c.most && most >= c.least {
		c.least, c.most = max(c.least, least), min(c.most, most)
		return
	}
	c.known, c.least, c.most = true, least, most // the first, or a clock was set
}

// skew is the server's clock minus this machine's; zero where nothing tells
// the two apart.
func (c *clock) skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || c.least <= 0 && c.most >= 0 {
		return 0
	}
	return c.least + (c.most-c.least)/2
}
