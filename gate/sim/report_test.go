package sim

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// result is one world of the report.
type result struct {
	Group, World, Bar string
	Ours              Summary
	Naive             []Summary // in the order of the header; empty where they do not play
	Good              bool      // the release is healthy: a rollback is wrong; else reaching 100 % is
	Missed            error     // what the bar asked and was not shown; nil: cleared
}

// playBars plays every world of gate.md, section 10, whose group and name contain only: runs times, some of them 5 or 8 times
// as often, and the naive rules with it. It hands each row to row as soon as it is there.
func playBars(runs int, only string, row func(result)) error {
	for i, c := range cells() {
		if !strings.Contains(c.group+" "+c.name, only) {
			continue
		}
		r, err := c.play(runs, uint64(i+1)<<32)
		if err != nil {
			return err
		}
		row(r)
	}
	return nil
}

func (c *cell) play(runs int, seed uint64) (result, error) {
	p, err := barsPolicy(c.latency)
	if err != nil {
		return result{}, fmt.Errorf("policy of the bars: %w", err)
	}
	if c.shape != nil {
		c.shape(p)
	}
	n := runs * max(c.times, 1)
	r := result{Group: c.group, World: c.name, Bar: c.bar, Good: c.good, Ours: Distribution(p, c.world, n, seed)}
	r.Missed = c.clears(r.Ours)
	if c.naive {
		for _, rule := range naiveRules() {
			r.Naive = append(r.Naive, summarize(many(runs, func(i int) Outcome { return runNaive(rule, c.world, seed+uint64(i)) })))
		}
	}
	return r, nil
}

// writeHeader begins the report: what the naive rules are, and the Markdown table's head.
func writeHeader(w io.Writer) error {
	var legend, rules, line strings.Builder
	legend.WriteString("Beside serin stand, judging errors only, with an operator who knows the healthy error rate and stages as long:\n\n")
	for _, r := range naiveRules() {
		fmt.Fprintf(&legend, "- %s: %s", r.name, r.doc)
		if r.halts {
			legend.WriteString("; a bad look delays the next stage")
		}
		legend.WriteString("\n")
		rules.WriteString(" " + r.name + " |")
		line.WriteString("---|")
	}
	_, err := fmt.Fprintf(w, "%s\n| world | | bar | runs | left 1 %% | reached 100 %% | rolled back | under way or held | time to 100 %% | time to rollback | canary requests | failed |%s |\n|---|---|---|---|---|---|---|---|---|---|---|---|%s---|\n",
		legend.String(), rules.String(), line.String())
	return err
}

// write adds the row to the table: shares are of runs with their 95 % intervals, times and requests are medians; the naive
// rules' columns are their shares of wrong endings.
func (r result) write(w io.Writer) error {
	s := r.Ours
	var naive strings.Builder
	for range len(naiveRules()) - len(r.Naive) {
		naive.WriteString(" |")
	}
	for _, n := range r.Naive {
		if r.Good {
			fmt.Fprintf(&naive, " %s rolled back |", share(n.RolledBack, n.Runs))
		} else {
			fmt.Fprintf(&naive, " %s promoted |", share(n.Reached, n.Runs))
		}
	}
	verdict := "cleared"
	if r.Missed != nil {
		verdict = "MISSED: " + r.Missed.Error()
	}
	_, err := fmt.Fprintf(w, "| %s | %s | %s | %d | %s | %s | %s | %s | %s | %s | %d | %d |%s %s |\n",
		r.Group, r.World, r.Bar, s.Runs, share(s.Left, s.Runs), share(s.Reached, s.Runs), share(s.RolledBack, s.Runs), share(s.Held, s.Runs),
		span(s.ReachedAfter), span(s.RollbackAfter), s.CanaryRequests.Median, s.FailedRequests.Median, naive.String(), verdict)
	return err
}

// share is k of n in percent, with its 95 % interval.
func share(k, n int) string {
	if n == 0 {
		return "-"
	}
	unit := " %"
	if k == 0 {
		unit = ""
	}
	low, high := interval(k, n)
	return fmt.Sprintf("%.3g%s (%.3g-%.3g)", 100*float64(k)/float64(n), unit, 100*low, 100*high)
}

func span(s Spread[time.Duration]) string {
	if s.Median == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g min (90 %%: %.3g)", s.Median.Minutes(), s.P90.Minutes())
}
