// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"strings"
)

// The linter reads the same table: the rules between these two lines of
// .golangci.yml are written by `make update` and compared by the tests.
const (
	rulesBegin = "        # generated from pkg/internal/archtest/layers.go by `make update`; do not edit\n"
	rulesEnd   = "        # end of what is generated\n"
)

// depguardRules renders the table of rooms as depguard's rules.
func depguardRules() string {
	var b strings.Builder
	var pure []string
	for _, r := range layers() {
		base, below := strings.CutSuffix(r.dir, "/...")
		glob := base + "/*.go"
		if below {
			glob = base + "/**/*.go"
		}
		if r.pure {
			pure = append(pure, glob)
		}
		fmt.Fprintf(&b, "        %s:\n", ruleName(base))
		fmt.Fprintf(&b, "          list-mode: strict\n")
		fmt.Fprintf(&b, "          files: [\"**/%s\", \"!$test\"]\n", glob)
		fmt.Fprintf(&b, "          allow:\n            - $gostd\n")
		for _, o := range r.own {
			fmt.Fprintf(&b, "            - %s\n", ownPrefix(o))
		}
		for _, o := range r.others {
			fmt.Fprintf(&b, "            - %s\n", o)
		}
		// Denied is all that is not allowed; these lines only give the reason.
		fmt.Fprintf(&b, "          deny:\n")
		for _, p := range []string{Module + "/", "k8s.io/"} {
			fmt.Fprintf(&b, "            - {pkg: %s, desc: %q}\n", p, r.why)
		}
	}
	writePure(&b, pure)
	return b.String()
}

func writePure(b *strings.Builder, globs []string) {
	fmt.Fprintf(b, "        # what these rooms say depends on their arguments alone\n")
	fmt.Fprintf(b, "        pure-rooms:\n          list-mode: lax\n          files:\n")
	for _, g := range globs {
		fmt.Fprintf(b, "            - \"**/%s\"\n", g)
	}
	fmt.Fprintf(b, "            - \"!$test\"\n          deny:\n")
	for _, p := range impureParts() {
		fmt.Fprintf(b, "            - {pkg: %s$, desc: what a pure room says depends on its arguments alone}\n", p)
	}
}

func ruleName(dir string) string {
	return strings.NewReplacer("pkg/internal/", "", "pkg/", "", "/", "-").Replace(dir)
}

func ownPrefix(dir string) string {
	if base, below := strings.CutSuffix(dir, "/..."); below {
		return Module + "/" + base
	}
	return Module + "/" + dir + "$"
}

// impureParts are the parts of the standard library by which a result could
// depend on anything but its arguments.
func impureParts() []string {
	return []string{
		"context", "crypto/rand", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http",
		"os", "os/exec", "os/signal", "os/user", "runtime", "syscall",
	}
}
