// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// errNoPort means that no free port was found after many attempts.
var errNoPort = errors.New("no free port on 127.0.0.1")

// freePorts finds n ports on 127.0.0.1 on which nobody listens. They are taken
// at random from below the range that Linux uses for outgoing connections, so
// that nothing but another bench is likely to take one before it is used; a
// start that loses this race is tried again (see Start).
func freePorts(ctx context.Context, n int) ([]int, error) {
	const low, high = 20000, 32000
	found := map[int]bool{}
	var listen net.ListenConfig
	ports := make([]int, 0, n)
	for range 1000 {
		if len(ports) == n {
			return ports, nil
		}
		port := low + rand.IntN(high-low)
		if found[port] {
			continue
		}
		l, err := listen.Listen(ctx, "tcp", loopback(port))
		if ctx.Err() != nil {
			return nil, fmt.Errorf("free port: %w", context.Cause(ctx))
		}
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("free port: %w", err)
		}
		found[port] = true
		ports = append(ports, port)
	}
	return nil, errNoPort
}

// loopback is the address of a port on this machine.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
