package gate

import (
	"fmt"
	"math"
	"strings"
	"time"

	"serin/gate/window"
)

// Why is the newest decision with all it rests on, line by line, for the transcripts (status shows as much, of the API):
//
//	stage 2/4 (5 % -> 25 %)  HOLD  not enough evidence yet   ~6 min left (90%: 13)
//	  errors   canary 1.14 % (41/3,596)  stable 1.02 %   harm +0.12 pt, between -0.31 and +0.88 (95%)
//	           must show < 2.00 pt: odds 14 of 20   roll back at >= 2.00 pt with odds 600: now 0.6
//	  p95      canary 181 ms  stable 178 ms  ratio 1.02 (limit 1.1)  odds 31 of 20  ok
//	  users    design effect 1.3, 4 noisy buckets left out, worst bucket 6 % of canary errors
//
// masked is the number of buckets left out; v may be nil, then the line about users is missing.
func Why(s State, p *Policy, d Decision, v *window.View, masked int) []string {
	lines := []string{heading(s, p, &d)}
	for i := range d.Findings {
		lines = append(lines, findingLines(&d.Findings[i])...)
	}
	if text := BaselineText(s, p, &d); text != "" {
		lines = append(lines, fmt.Sprintf("  %-8s %s", "baseline", text))
	}
	if v != nil && s.Stage > 0 {
		c := &v.Crowds[window.BadKind]
		lines = append(lines, fmt.Sprintf("  %-8s design effect %s, %s left out, worst bucket %s of canary errors", "users",
			decimals(max(c.DesignEffect, 1), 2), many(uint64(max(masked, 0)), "noisy bucket"), percent(c.WorstShare)))
	}
	return lines
}

func heading(s State, p *Policy, d *Decision) string {
	if s.Stage == 0 || s.Phase == Completed || s.Phase == RolledBack {
		return fmt.Sprintf("%s at %s  %s", strings.ReplaceAll(s.Phase.String(), "_", " "), s.Weight, d.Reason.Text())
	}
	stage, weight, _ := p.crossing(&s)
	to := weight.String()
	if p.named(stage) {
		to = stageName(p, stage)
	}
	text := fmt.Sprintf("stage %d/%d (%s -> %s)  %s  %s", s.Stage, len(p.Stages), place(s, p), to,
		strings.ToUpper(d.Verdict.String()), d.Reason.Text())
	if d.Expected > 0 {
		ninety := time.Duration(1.6 / .75 * float64(d.Expected))
		text += fmt.Sprintf("   ~%s left (90%%: %s)", Left(d.Expected), Left(ninety))
	}
	return text
}

func findingLines(f *Finding) []string {
	if f.Outside() {
		return []string{fmt.Sprintf("  %-8s %s%s", gateName(f.Metric), outsideText(f), tail(f))}
	}
	if f.Scale == scaleRatio {
		return []string{fmt.Sprintf("  %-8s canary %s  %s %s  ratio %s (limit %s)  odds %s of %s%s%s", gateName(f.Metric),
			milliseconds(f.Canary), baselineWord(f), milliseconds(f.Stable), decimals(f.Difference, 2), decimals(f.HoldLimit, 2),
			oddsText(f.PassOdds), oddsText(f.PassNeeds), rollText(f, ""), tail(f))}
	}
	first := fmt.Sprintf("  %-8s canary %s (%s/%s)  %s %s   harm %s pt, between %s and %s (95%%)", nouns(f.Metric),
		percent(f.Canary), grouped(f.Samples.CanaryBad), grouped(f.Samples.Canary), baselineWord(f), percent(f.Stable),
		signed(f.Difference), signed(f.DifferenceLow), signed(f.DifferenceHigh))
	second := fmt.Sprintf("  %-8s must show < %s pt: odds %s of %s%s%s", "", decimals(f.PassLimit*100, 2),
		oddsText(f.PassOdds), oddsText(f.PassNeeds), rollText(f, " pt"), tail(f))
	return []string{first, second}
}

func rollText(f *Finding, unit string) string {
	if f.RollbackLimit == nil || f.FailNeeds == nil {
		return ""
	}
	limit := *f.RollbackLimit
	if unit != "" {
		limit *= 100
	}
	return fmt.Sprintf("   roll back at >= %s%s with odds %s: now %s", decimals(limit, 2), unit, oddsText(*f.FailNeeds), oddsText(f.FailOdds))
}

// tail is a gate's verdict at the end of its line.
func tail(f *Finding) string {
	dry := ""
	if f.DryRun {
		dry = "  (dry run)"
	}
	if f.Verdict == Pass {
		return "  ok" + dry
	}
	return "  " + f.Verdict.String() + ": " + f.Reason.Text() + dry
}

// signed is a difference in points with its sign; a bound that does not exist is a bare infinity.
func signed(d float64) string {
	if math.Abs(d) >= 1 {
		return strings.TrimSuffix(fmt.Sprintf("%+.0f", d), "1") + "inf"
	}
	return fmt.Sprintf("%+.2f", d*100)
}

// baselineWord is whose is for a column.
func baselineWord(f *Finding) string {
	if f.Past {
		return "before"
	}
	return "stable"
}

// oddsText is a factor of evidence: "0.6", "14", "1,800".
func oddsText(o float64) string {
	switch {
	case o >= 1e6:
		return "over a million"
	case o >= 10:
		return grouped(uint64(o))
	}
	return decimals(o, 1)
}
