// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/bench"
)

// About writes when and on what it was measured.
func About(b *strings.Builder) {
	cpu := runtime.GOARCH
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, line, ok := strings.Cut(string(raw), "model name"); ok {
			line, _, _ = strings.Cut(line, "\n")
			cpu = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	fmt.Fprintf(b, "Measured on %s with %s, %d processors (%s), the server and its clients on one machine; %s.\n",
		time.Now().UTC().Format("2006-01-02 15:04Z"), runtime.Version(), runtime.NumCPU(), cpu, versions())
}

// versions are those of the control plane's parts.
func versions() string {
	dir, err := bench.SourceDir("controlplane")
	if err != nil {
		return "a control plane of unknown versions"
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "a control plane of unknown versions"
	}
	var out []string
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) == 2 && (f[0] == "k8s.io/kubernetes" || f[0] == "go.etcd.io/etcd/server/v3") {
			out = append(out, f[0]+" "+f[1])
		}
	}
	return strings.Join(out, ", ")
}

// write writes the table of one cluster: medians, and ratios to the first way
// and to the last.
func write(b *strings.Builder, r Result) {
	fmt.Fprintf(b, "\n### %s\n\n", r.Shape)
	b.WriteString("| Asked with | Wall | × the floor | Client CPU | Peak memory | Lists | MB | Answer |\n|---|---|---|---|---|---|---|---|\n")
	floor := median(r.Ways[0].Costs, wall)
	for _, m := range r.Ways {
		fmt.Fprintf(b, "| %s | %.2f s | %.2f | %.2f s | %.0f MiB | %.0f | %.0f | %s |\n", m.Name, median(m.Costs, wall), median(m.Costs, wall)/floor,
			median(m.Costs, cpu), median(m.Costs, memory),
			median(m.Costs, func(c Cost) float64 { return c.Requests }),
			median(m.Costs, func(c Cost) float64 { return c.Bytes / 1e6 }), m.Right)
	}
	if last := r.Ways[len(r.Ways)-1]; len(r.Ways) > 2 {
		for _, m := range r.Ways[1:3] {
			fmt.Fprintf(b, "\n%s takes %.1f times less CPU and %.1f times less memory than %s.\n", m.Name,
				median(last.Costs, cpu)/median(m.Costs, cpu), median(last.Costs, memory)/median(m.Costs, memory), last.Name)
		}
	}
	replicas := r.Shape.Volumes * r.Shape.Replicas
	fmt.Fprintf(b, "\nMedian of %d rounds. 64 MiB and 300 bytes a replica are %.0f MiB.\n", len(r.Ways[0].Costs), 64+float64(300*replicas)/(1<<20))
}

// writeReactions writes how a program that waits learns of changes.
func writeReactions(b *strings.Builder, all []Reaction) {
	b.WriteString("\n### Waiting\n\n| Cluster | Event to decision, p50 | p99 | Lists a minute while nothing happens | Watches begun a minute | Memory before and after |\n|---|---|---|---|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(b, "| %s | %.2f s | %.2f s | %.1f | %.1f | %d and %d MiB |\n", r.Shape, r.P50.Seconds(), r.P99.Seconds(),
			float64(r.Requests["lists"])/r.Idle.Minutes(), float64(r.Requests["watches"])/r.Idle.Minutes(), r.MemoryFirst>>20, r.MemoryLast>>20)
	}
}

func wall(c Cost) float64   { return c.Wall.Seconds() }
func cpu(c Cost) float64    { return c.CPU.Seconds() }
func memory(c Cost) float64 { return float64(c.Memory) / (1 << 20) }

func median(cs []Cost, of func(Cost) float64) float64 {
	var v []float64
	for _, c := range cs {
		v = append(v, of(c))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
