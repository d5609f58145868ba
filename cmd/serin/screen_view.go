package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"serin/gate"
	"serin/proxy/admin"
)

// The terminal's own sixteen colours: they follow the person's theme, light or dark. Every state is also a word.
var (
	strong = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green).Bold(true)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	blue   = lipgloss.NewStyle().Foreground(lipgloss.Blue).Bold(true)
	canary = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	stable = lipgloss.NewStyle().Foreground(lipgloss.Blue)
	enough = lipgloss.NewStyle().Foreground(lipgloss.Green)
)

// leastWidth is the narrowest screen that is drawn as such.
const leastWidth = 40

// staleAfter is how long the daemon may be silent before the screen says so: events come every second.
const staleAfter = 5 * time.Second

// View draws the screen.
func (s *screen) View() tea.View {
	v := tea.NewView(strings.Join(s.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "serin " + clean(s.name)
	return v
}

// lines is the whole screen, never more than fits: what matters least leaves first.
func (s *screen) lines() []string {
	width := max(s.width, leastWidth)
	top := append(s.heading(width), s.ladder(width)...)
	gates, charts := s.gates(width), s.charts(width)
	foot := s.foot(width)
	room := s.height - len(top) - len(foot)
	var body []string
	for _, part := range [][]string{gates, charts} {
		if len(part) > 0 && len(body)+1+len(part) <= room {
			body = append(append(body, ""), part...)
		}
	}
	if left := room - len(body) - 2; left >= 2 {
		body = append(append(body, ""), s.log(width, left)...)
	}
	for len(body) < room {
		body = append(body, "")
	}
	out := append(append(top, body...), foot...)
	for i, line := range out {
		out[i] = fit(line, width)
	}
	return out[:min(len(out), max(s.height, 1))]
}

// fit cuts a line that is wider than the screen.
func fit(line string, width int) string {
	return lipgloss.NewStyle().Inline(true).MaxWidth(width).Render(line)
}

// verdictOf is the answer in two words, and its colour.
func verdictOf(ro admin.Rollout) (string, lipgloss.Style) {
	switch ro.Phase {
	case "rolled_back":
		return "SAFE NOW", red
	case "completed":
		return "DONE", green
	case "holding":
		return "NEEDS A LOOK", yellow
	case "awaiting_approval":
		return "YOUR TURN", blue
	case "paused":
		return "PAUSED", blue
	case "waiting":
		return "WAITING", faint
	}
	switch gate.Reason(ro.Reason) {
	case gate.WorseThanStable, gate.EstimateAboveHold, gate.StableUnhealthy, gate.CanaryPoolUnhealthy, gate.SkewedKeys:
		return "NEEDS A LOOK", yellow
	case gate.NoCanaryTraffic, gate.NoStableTraffic, gate.JournalUnavailable:
		return "UNKNOWN", yellow
	}
	return "SAFE SO FAR", green
}

// heading is the name, how fresh the screen is, and the answer first.
func (s *screen) heading(width int) []string {
	ro := s.rollout
	left := strong.Render("serin " + clean(ro.Name))
	right := green.Render("●") + " live " + s.now.Format(time.TimeOnly)
	words, style := verdictOf(ro)
	if silent := s.now.Sub(s.heard); silent > staleAfter {
		right = yellow.Render(fmt.Sprintf("○ no answer for %s", span(silent.Seconds())))
		words, style = "UNKNOWN", yellow
	}
	attempt := faint.Render(fmt.Sprintf("  attempt %d of %s", ro.Attempt, clean(ro.Revision)))
	if lipgloss.Width(left+attempt+right) < width {
		left += attempt
	}
	gap := max(1, width-lipgloss.Width(left)-lipgloss.Width(right))
	out := []string{left + strings.Repeat(" ", gap) + right, ""}
	out = append(out, folded(style.Render(words)+"  "+clean(ro.Sentence), width)...)
	if ro.Next != "" {
		out = append(out, folded(faint.Render("Next: "+clean(ro.Next)), width)...)
	}
	return append(out, "")
}

// folded breaks text at spaces into lines of at most width columns; a number keeps its percent sign.
func folded(text string, width int) []string {
	const kept = "\u00a0%"
	text = lipgloss.Wrap(strings.ReplaceAll(text, " %", kept), width, " ")
	return strings.Split(strings.ReplaceAll(text, kept, " %"), "\n")
}

// ladder is the stages in a row, the current one with its clock, and the shares below.
func (s *screen) ladder(width int) []string {
	ro := s.rollout
	var steps []string
	for _, r := range ro.Stages {
		switch {
		case r.Index == ro.Stage.Index && r.State != "passed":
			least := math.Max(ro.Stage.LeastSeconds, 1)
			clock := gauge(math.Min(1, ro.Stage.ElapsedSeconds/least), 8)
			steps = append(steps, canary.Bold(true).Render("▶ "+clean(r.Label)+" "+clock)+faint.Render(" "+span(ro.Stage.ElapsedSeconds)+" of "+span(least)))
		case r.State == "passed":
			steps = append(steps, green.Render("✓ ")+clean(r.Label))
		default:
			steps = append(steps, faint.Render("· "+clean(r.Label)))
		}
	}
	out := around(steps, ro.Stage.Index-1, width)
	shares := fmt.Sprintf("asked %s", percent(ro.Weight))
	if ro.ObservedWeight != nil {
		shares += fmt.Sprintf(", observed %s of the requests", percent(*ro.ObservedWeight))
	}
	if ro.Exposure.Requests > 0 {
		shares += fmt.Sprintf("; about %s users met it, %s saw an error", count(ro.Exposure.Users), count(ro.Exposure.UsersFailed))
	}
	return append([]string{out}, folded(faint.Render(shares), width)...)
}

// around joins steps; where they are too wide, those far from the current one give way to dots.
func around(steps []string, current, width int) string {
	const sep = "  "
	from, to := 0, len(steps)
	joined := func() string {
		line := strings.Join(steps[from:to], sep)
		if from > 0 {
			line = faint.Render("…") + sep + line
		}
		if to < len(steps) {
			line += sep + faint.Render("…")
		}
		return line
	}
	for lipgloss.Width(joined()) > width && to-from > 1 {
		if current-from >= to-1-current && from < current {
			from++
		} else {
			to--
		}
	}
	return joined()
}

// gates is a line a gate: both arms, the verdict, and how far the odds are.
func (s *screen) gates(width int) []string {
	if len(s.rollout.Gates) == 0 {
		return nil
	}
	out := []string{strong.Render("gates") + faint.Render("  odds so far, of those needed")}
	for _, g := range s.rollout.Gates {
		word, style := verdictWord(g), yellow
		switch g.Verdict {
		case gate.Pass:
			style = green
		case gate.Fail:
			style = red
		case gate.Hold:
			if !g.Confirmed {
				style = faint
			}
		}
		if g.Outside() {
			out = append(out, fmt.Sprintf("%-12s %s", fitted(gateName(g), 12), style.Render(gate.Numbers(&g))))
			continue
		}
		line := fmt.Sprintf("%-12s %s %-8s %s %-8s  ", fitted(gateName(g), 12), canary.Render("canary"), armValue(g, g.Canary, g.Samples.Canary),
			stable.Render("stable"), armValue(g, g.Stable, g.Samples.Stable))
		line += style.Render(fmt.Sprintf("%-4s", word))
		out = append(out, withReason(line+" "+progress(g), g, width)...)
	}
	return out
}

// progress is how far a gate's odds are: green where they suffice.
func progress(g admin.Gate) string {
	bar := gauge(logShare(g.PassOdds, g.PassNeeds), 8)
	if g.PassOdds >= g.PassNeeds {
		bar = enough.Render(bar)
	}
	return fmt.Sprintf("%s %s of %s", bar, odds(g.PassOdds), odds(g.PassNeeds))
}

// withReason says why a gate does not pass: at the end of its line, or below where that is too narrow.
func withReason(line string, g admin.Gate, width int) []string {
	if g.Verdict == gate.Pass || g.Reason == "" {
		return []string{line}
	}
	why := words(string(g.Reason))
	if lipgloss.Width(line)+2+lipgloss.Width(why) <= width {
		return []string{line + "  " + faint.Render(why)}
	}
	return []string{line, faint.Render(strings.Repeat(" ", 13) + why)}
}

func gateName(g admin.Gate) string {
	switch name := strings.TrimPrefix(g.Metric, "latency_"); name {
	case "error_rate":
		return "errors"
	default:
		return words(name)
	}
}

func fitted(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return text
}

func armValue(g admin.Gate, v float64, n uint64) string {
	switch {
	case g.Scale == "ratio" && v > 0:
		return millis(v)
	case g.Scale == "ratio" || n == 0:
		return "–"
	}
	return rate(v)
}

// logShare is how far odds have come to what they need, by orders of magnitude: 0 at even odds, 1 when they suffice.
func logShare(have, need float64) float64 {
	if have <= 1 || need <= 1 {
		return 0
	}
	return math.Min(1, math.Log(have)/math.Log(need))
}

// charts are the error rate and the 99th percentile of both arms, each pair on one scale: the last number, then its past,
// which grows to the right until the screen is full.
func (s *screen) charts(width int) []string {
	if len(s.series.Live) == 0 {
		return nil
	}
	wide := width - len("errors canary   100.00 %  ")
	chart := func(name string, of func(admin.PointArm) *float64, show func(float64) string) []string {
		c, st := picked(s.series.Live, of, true), picked(s.series.Live, of, false)
		top := highest(c, st)
		line := func(label, arm string, style lipgloss.Style, values []*float64) string {
			last := "–"
			if i := slices.IndexFunc(backwards(values), func(v *float64) bool { return v != nil }); i >= 0 {
				last = show(*backwards(values)[i])
			}
			return fmt.Sprintf("%-6s %s %9s  %s", label, style.Render(arm), last, style.Render(spark(values, wide, top)))
		}
		return []string{line(name, "canary", canary, c), line("", "stable", stable, st)}
	}
	out := []string{strong.Render("last minutes")}
	out = append(out, chart("errors", func(a admin.PointArm) *float64 { return a.ErrorRate }, rate)...)
	return append(out, chart("p99", func(a admin.PointArm) *float64 { return a.P99MS }, millis)...)
}

func picked(points []admin.Point, of func(admin.PointArm) *float64, ofCanary bool) []*float64 {
	out := make([]*float64, len(points))
	for i, p := range points {
		arm := p.Stable
		if ofCanary {
			arm = p.Canary
		}
		out[i] = of(arm)
	}
	return out
}

func backwards(values []*float64) []*float64 {
	out := slices.Clone(values)
	slices.Reverse(out)
	return out
}

// log is the newest decisions, as many as there is room for.
func (s *screen) log(width, room int) []string {
	if len(s.decisions) == 0 {
		return nil
	}
	out := []string{strong.Render("log")}
	for _, d := range s.decisions {
		at := d.At.In(s.now.Location()).Format(time.TimeOnly) + "  "
		lines := folded(clean(d.Sentence), width-len(at))
		for i := range lines {
			lines[i] = at + lines[i]
			at = strings.Repeat(" ", len(at))
		}
		if len(out)+len(lines) > room {
			break
		}
		out = append(out, lines...)
	}
	return out
}

// foot is what was done last or is asked now, and the keys.
func (s *screen) foot(width int) []string {
	if d := s.dialog; d != nil {
		reason := "Reason: "
		if !d.needsReason {
			reason = "Reason (may be empty): "
		}
		out := []string{""}
		out = append(out, folded(yellow.Render(d.consequence), width)...)
		return append(out, reason+string(d.reason)+"█", faint.Render("enter: do it   esc: leave it"))
	}
	var keys []string
	for _, a := range acts {
		if slices.Contains(s.rollout.Allowed, a.verb) {
			keys = append(keys, strong.Render(a.key)+" "+a.word)
		}
	}
	keys = append(keys, strong.Render("q")+" quit")
	return []string{s.note, strings.Join(keys, "   ")}
}
