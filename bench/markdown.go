package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// bases are the proxies that the others are divided by.
var bases = []string{"nginx", "haproxy"}

// markdown is the report: one table a scenario, then what was left out.
func (r *results) markdown() string {
	var b strings.Builder
	placed := "proxy alone on CPU 0, client and upstream on CPU 1"
	if !r.Pinned {
		placed = "all processes on all CPUs"
	}
	fmt.Fprintf(&b, "# CPU per request, %s\n\n%s; %s. Loads of %v, interleaved; medians of the rounds, ratios within a round\n"+
		"with the least and the greatest. Made by `%s`.\n\n", r.Date, r.Machine, placed, r.Duration, r.Command)
	for _, name := range r.Scenarios {
		if slices.ContainsFunc(r.Samples, func(s sample) bool { return s.Scenario == name }) {
			r.table(&b, name)
		}
		r.idleTable(&b, name)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Refused)) {
		fmt.Fprintf(&b, "Not measured, for it failed the check: %s (%s).\n\n", k, r.Refused[k])
	}
	fmt.Fprintf(&b, "Rounds discarded for a busy machine: %d.\n\n", r.Discarded)
	for _, v := range r.Versions {
		fmt.Fprintf(&b, "* %s: %s\n", v.Program, v.Says)
	}
	return b.String()
}

func (r *results) table(b *strings.Builder, scenario string) {
	fmt.Fprintf(b, "## %s\n\n| proxy | CPU us/request |", about(scenario))
	for _, base := range bases {
		fmt.Fprintf(b, " x %s |", base)
	}
	b.WriteString(" requests/s | p50 | p99 | memory | errors | syscalls | rounds | others, stolen |\n|---|---|")
	b.WriteString(strings.Repeat("---|", len(bases)+8) + "\n")
	for _, proxy := range r.Proxies {
		of := func(figure func(sample) float64) []float64 {
			return valuesOf(r.Samples, scenario, proxy, figure)
		}
		micros := of(sample.micros)
		if len(micros) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %.2f |", proxy, median(micros))
		for _, base := range bases {
			fmt.Fprintf(b, " %s |", ratioText(spreadOf(ratios(r.Samples, scenario, proxy, base))))
		}
		fmt.Fprintf(b, " %.0f | %s | %s | %.0f MiB | %.0f | %s | %d | %.1f %%, %.1f %% |\n",
			median(of(sample.perSecond)),
			time.Duration(median(of(func(s sample) float64 { return float64(s.P50) }))).Round(10*time.Microsecond),
			time.Duration(median(of(func(s sample) float64 { return float64(s.P99) }))).Round(10*time.Microsecond),
			slices.Max(of(func(s sample) float64 { return float64(s.Resident) }))/(1<<20),
			sum(of(func(s sample) float64 { return float64(s.Errors) })),
			syscallText(r.Syscalls, key(scenario, proxy)), len(micros),
			100*slices.Max(of(func(s sample) float64 { return s.Others })),
			100*slices.Max(of(func(s sample) float64 { return s.Stolen })))
	}
	b.WriteString("\n")
}

func (r *results) idleTable(b *strings.Builder, scenario string) {
	head := fmt.Sprintf("## %s\n\n| proxy | connections | memory before | memory after | each | CPU |\n|---|---|---|---|---|---|\n", about(scenario))
	for _, i := range r.Idle {
		if i.Scenario != scenario {
			continue
		}
		fmt.Fprintf(b, "%s| %s | %d | %.0f MiB | %.0f MiB | **%.1f KiB** | %.2f %% |\n", head, i.Proxy, i.Conns,
			float64(i.Before)/(1<<20), float64(i.After)/(1<<20), i.each()/1024, 100*i.CPU)
		head = ""
	}
	if head == "" {
		b.WriteString("\n")
	}
}

func about(name string) string {
	for _, s := range scenarios {
		if s.name == name {
			return s.about
		}
	}
	return name
}

func ratioText(s spread) string {
	if math.IsNaN(s.median) {
		return "-"
	}
	return fmt.Sprintf("**%.2f** (%.2f-%.2f)", s.median, s.low, s.high)
}

func syscallText(calls map[string]float64, key string) string {
	if n, ok := calls[key]; ok {
		return fmt.Sprintf("%.2f", n)
	}
	return "-"
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
