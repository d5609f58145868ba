package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"serin/gate"
	"serin/proxy/admin"
)

func newWhyCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why [NAME]",
		Short: "the last decision in words, and what would change it",
		Args:  oneName,
	}
	e.asks(cmd, nil, func(ctx context.Context, q *question, args []string) error {
		ro, err := q.pick(ctx, args)
		if err != nil {
			return err
		}
		return q.answer(ro.LastDecision, func() {
			e.print(whyText(ro, time.Now())...)
			if m, err := q.Mirror(ctx, ro.Name); err == nil { // an older daemon has none
				e.print(mirrorText(m)...)
			}
		})
	})
	return cmd
}

// whyText tells the last decision with the numbers it rested on, then what stands in the way now.
func whyText(ro admin.Rollout, now time.Time) []string {
	var lines []string
	if d := ro.LastDecision; d != nil {
		lines = append(lines, wrapped(fmt.Sprintf("%s at %s by %s: %s", words(d.Action), clock(d.At, now), d.Actor, d.Sentence), "")...)
		if d.Evidence.Override {
			lines = append(lines, "  an override: a person decided, not the gates")
		}
		if d.Evidence.Note != "" {
			lines = append(lines, wrapped("reason given: "+d.Evidence.Note, "  ")...)
		}
		for _, g := range d.Evidence.Gates {
			lines = append(lines, gateText(g)...)
		}
		lines = append(lines, attemptText(d.Attempt)...)
		lines = append(lines, "")
	}
	lines = append(lines, wrapped("now: "+ro.Sentence, "")...)
	for _, g := range ro.Gates {
		if _, over := ended(ro); over && g.Verdict == gate.Hold {
			continue // no request comes any more that could change it
		}
		lines = append(lines, wrapped(change(g), "  ")...)
	}
	if ro.BaselineNote != "" {
		lines = append(lines, wrapped("baseline: "+ro.BaselineNote, "")...)
	}
	if ro.Next != "" {
		lines = append(lines, wrapped("next: "+ro.Next, "")...)
	}
	return lines
}

// change says what a gate would need to answer otherwise.
func change(g admin.Gate) string {
	switch g.Verdict {
	case gate.Pass:
		if !weighs(g) {
			return g.Metric + " passes"
		}
		return fmt.Sprintf("%s passes: odds %s, %s were needed", g.Metric, odds(g.PassOdds), odds(g.PassNeeds))
	case gate.Fail:
		return g.Metric + " fails: only a new attempt starts afresh"
	case gate.Hold:
	}
	text := g.Metric + " holds"
	if g.Reason != "" {
		text += ", " + words(string(g.Reason))
	}
	what, at := quantityOf(g)
	right, _, _ := sides(g)
	switch {
	case asides(g) != "":
		return text + ": " + asides(g)
	case beyondHold(g):
		text += fmt.Sprintf(": its %s of %s must come %s %s", what, at(g.Difference), right, at(g.HoldLimit))
	case !weighs(g):
		return text
	case g.PassOdds >= g.PassNeeds:
		return text + fmt.Sprintf(": the odds that its %s is %s %s suffice, %s of %s", what, right, at(g.PassLimit), odds(g.PassOdds), odds(g.PassNeeds))
	default:
		text += fmt.Sprintf(": the odds that its %s is %s %s are %s and must reach %s", what, right, at(g.PassLimit), odds(g.PassOdds), odds(g.PassNeeds))
	}
	if s := g.ExpectedSeconds; s != nil && *s > 0 {
		text += ", in about " + span(*s) + " at this traffic"
	}
	return text
}

// quantityOf is what a gate compares with its limits, and how that is written.
func quantityOf(g admin.Gate) (what string, at func(float64) string) {
	switch {
	case g.Absolute && g.Scale == "ratio" && g.Difference > 0:
		return "latency", func(v float64) string { return millis(g.Canary / g.Difference * v) }
	case g.Absolute && g.Scale != "ratio":
		return "rate", rate
	case g.Scale == "ratio":
		return "ratio", func(v float64) string { return fmt.Sprintf("%.2f", v) }
	}
	return "harm", func(v float64) string { return fmt.Sprintf("%.2f pt", v*100) }
}
