package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// report is the table of a run.
type report struct {
	day     time.Time
	cases   []Case
	proxies []column
}

// column is one proxy's results, by case.
type column struct {
	name, version string
	results       []error
}

func newReport(day time.Time, cases []Case) *report { return &report{day: day, cases: cases} }

func (r *report) add(name, version string, results []error) {
	r.proxies = append(r.proxies, column{name, version, results})
}

// score counts the cases that count and fit.
func (c *column) score(cases []Case, fits func(Case) bool) (passed, total int) {
	for i, k := range cases {
		if !fits(k) {
			continue
		}
		total++
		if c.results[i] == nil {
			passed++
		}
	}
	return passed, total
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The wire suite\n\n%s, made by `go run ./bench/wire`.\n\n", r.day.Format(time.DateOnly))
	for _, c := range r.proxies {
		fmt.Fprintf(&b, "* %s: %s\n", c.name, c.version)
	}
	b.WriteString("\nPassed of all cases, by duty of the checklist and family. What no RFC asks for (*beyond*) is not in the sums.\n\n")
	r.table(&b)
	r.beyond(&b)
	r.failures(&b)
	return b.String()
}

func (r *report) table(b *strings.Builder) {
	b.WriteString("| duty | |")
	for _, c := range r.proxies {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|---:|---|" + strings.Repeat("---:|", len(r.proxies)) + "\n")
	row := func(duty, title string, fits func(Case) bool) {
		fmt.Fprintf(b, "| %s | %s |", duty, title)
		for _, c := range r.proxies {
			passed, total := c.score(r.cases, fits)
			fmt.Fprintf(b, " %d/%d |", passed, total)
		}
		b.WriteString("\n")
	}
	for _, g := range r.groups() {
		if slices.ContainsFunc(r.cases, func(c Case) bool { return c.Group == g && !c.Beyond }) {
			row(itoa(g.Duty), g.Title, func(c Case) bool { return c.Group == g && !c.Beyond })
		}
	}
	row("", "**all**", func(c Case) bool { return !c.Beyond })
}

// groups are those of the cases, in their order.
func (r *report) groups() []*group {
	var all []*group
	for _, c := range r.cases {
		if !slices.Contains(all, c.Group) {
			all = append(all, c.Group)
		}
	}
	return all
}

// beyond lists serin's own promises.
func (r *report) beyond(b *strings.Builder) {
	b.WriteString("\n## Beyond the RFCs\n\nPromises of serin's own; that a peer does it differently is no fault.\n\n| case |")
	for _, c := range r.proxies {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.proxies)) + "\n")
	for i, k := range r.cases {
		if !k.Beyond {
			continue
		}
		fmt.Fprintf(b, "| %s |", escape(k.String()))
		for _, c := range r.proxies {
			word := "no"
			if c.results[i] == nil {
				word = "yes"
			}
			b.WriteString(" " + word + " |")
		}
		b.WriteString("\n")
	}
}

// failures lists what each proxy fails, and apart from that what only serin passes: those cases may be unfair.
func (r *report) failures(b *strings.Builder) {
	for _, c := range r.proxies {
		fmt.Fprintf(b, "\n## %s fails\n\n", c.name)
		none := true
		for i, k := range r.cases {
			if c.results[i] == nil || k.Beyond {
				continue
			}
			none = false
			fmt.Fprintf(b, "* %s (%s): %s\n", escape(k.String()), escape(k.reason()), escape(clip(c.results[i].Error())))
		}
		if none {
			b.WriteString("Nothing.\n")
		}
	}
	b.WriteString("\n## Only serin passes\n\nLooked at twice: is the case fair?\n\n")
	for i, k := range r.cases {
		if !k.Beyond && r.only("serin", i) {
			fmt.Fprintf(b, "* %s (%s)\n", escape(k.String()), escape(k.reason()))
		}
	}
}

// only says whether the proxies whose names begin so pass case i, and there are others, all of which fail.
func (r *report) only(name string, i int) bool {
	others := 0
	for _, c := range r.proxies {
		ours := strings.HasPrefix(c.name, name)
		if ours != (c.results[i] == nil) {
			return false
		}
		if !ours {
			others++
		}
	}
	return others > 0
}

// clip shortens what a failure says.
func clip(s string) string {
	const most = 160
	s = strings.ReplaceAll(s, "\n", " ")
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// escape keeps Markdown from reading anything into s.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "`", "'", "\r", `\r`, "\t", `\t`, "\x00", `\0`).Replace(s)
}
