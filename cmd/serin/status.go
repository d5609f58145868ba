package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"serin/gate"
	"serin/proxy/admin"
)

func newStatusCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "how rollouts, experiments and flags stand: stage, gates, numbers",
		Args:  oneName,
	}
	e.asks(cmd, nil, func(ctx context.Context, q *question, args []string) error {
		if len(args) == 1 {
			return q.statusOf(ctx, args[0])
		}
		return q.statusOfAll(ctx)
	})
	return cmd
}

// statusOf shows one rollout, or the experiment of that name.
func (q *question) statusOf(ctx context.Context, name string) error {
	ro, err := q.Rollout(ctx, name)
	if err == nil {
		return q.answer(ro, func() {
			q.env.print(statusText(ro)...)
			q.env.tellRefused(ctx, q.Client)
		})
	}
	x, err := experimentNamed(ctx, q.Client, name, err)
	if err != nil {
		return err
	}
	return q.answer(x, func() {
		q.env.print(experimentText(x)...)
		q.env.tellRefused(ctx, q.Client)
	})
}

// statusOfAll shows everything there is.
func (q *question) statusOfAll(ctx context.Context) error {
	list, err := q.Rollouts(ctx)
	if err != nil {
		return err
	}
	experiments, flags, err := trials(ctx, q.Client)
	if err != nil {
		return err
	}
	return q.answer(statusAnswer{Rollouts: list, Experiments: experiments, Flags: flags}, func() {
		e := q.env
		e.tellFrozen(ctx, q.Client)
		for i, ro := range list {
			if i > 0 {
				e.print("")
			}
			e.print(statusText(ro)...)
		}
		for _, x := range experiments {
			e.print("")
			e.print(experimentText(x)...)
		}
		for i, f := range flags {
			if i == 0 {
				e.print("")
			}
			e.print(flagText(f, time.Now())...)
		}
		if len(list)+len(experiments) == 0 {
			fmt.Fprintln(e.stderr, "serin: there is no rollout")
		}
		e.tellRefused(ctx, q.Client)
	})
}

// tellRefused says when the daemon runs with another configuration than its file has, because it refused the file.
func (e *env) tellRefused(ctx context.Context, c *admin.Client) {
	now, err := c.Config(ctx)
	if err != nil || now.LastReload.Successful {
		return
	}
	fmt.Fprintln(e.stderr, "serin: warning: the configuration file was refused; the one before it stays in force")
	e.printProblems(now.LastReload.Problems)
}

// statusText is one rollout for a person: where it is, why, what next, and the numbers behind it.
func statusText(ro admin.Rollout) []string {
	head := fmt.Sprintf("%s  %s  weight %s", ro.Name, words(ro.Phase), percent(ro.Weight))
	if ro.ObservedWeight != nil {
		head += fmt.Sprintf(" (observed %s)", percent(*ro.ObservedWeight))
	}
	if ro.DryRun {
		head += "  dry run"
	}
	lines := []string{cut(head)}
	lines = append(lines, cut(fmt.Sprintf("  attempt %d of revision %s", ro.Attempt, ro.Revision)+onlyFor(ro.Audience)))
	if ro.Stage.Count > 0 {
		lines = append(lines, cut(stageLine(ro)))
	}
	lines = append(lines, wrapped(ro.Sentence, "  ")...)
	if ro.Next != "" {
		lines = append(lines, wrapped("Next: "+ro.Next, "  ")...)
	}
	lines = append(lines, peopleText(ro)...)
	for _, g := range ro.Gates {
		lines = append(lines, gateText(g)...)
	}
	if ro.BaselineNote != "" {
		lines = append(lines, hanging("  baseline ", ro.BaselineNote)...)
	}
	lines = append(lines, signalsText(ro)...)
	if ro.Users.Active > 0 {
		lines = append(lines, usersText(ro)...)
	}
	if n := ro.Shield; n["saved"]+n["lost"]+n["over_budget"] > 0 {
		lines = append(lines, wrapped(fmt.Sprintf("shield: %s canary failures answered by stable, %s lost there too, %s over its retry budget",
			count(n["saved"]), count(n["lost"]), count(n["over_budget"])), "  ")...)
	}
	if n := ro.Mirror; n["sampled"] > 0 {
		lines = append(lines, wrapped(fmt.Sprintf("mirror: %s answers like stable's, %s unlike, %s used to learn, %s not mirrored for want of room (serin why)",
			count(n["match"]), count(n["mismatch"]), count(n["learning"]), count(n["dropped"])), "  ")...)
	}
	if ro.Drill != nil {
		lines = append(lines, wrapped("drill by "+ro.Drill.Actor+": "+ro.Drill.Sentence, "  ")...)
	}
	if ro.Exposure.Requests > 0 {
		lines = append(lines, wrapped(fmt.Sprintf("canary so far: %s of about %s; %s failed, for about %s",
			numbered(ro.Exposure.Requests, "request"), numbered(ro.Exposure.Users, "user"), count(ro.Exposure.Failed), numbered(ro.Exposure.UsersFailed, "user")), "  ")...)
		if len(ro.Exposure.Shares) > 1 {
			lines = append(lines, wrapped("of that: "+sharesText(ro.Exposure.Shares), "  ")...)
		}
	}
	lines = append(lines, capacityText(ro.Capacity)...)
	if until := ro.Window.Until; !ro.Window.Open && until != nil {
		lines = append(lines, cut("  the window for widening opens at "+clock(*until, time.Now())))
	}
	if len(ro.Allowed) > 0 {
		lines = append(lines, cut("  you may: "+strings.Join(ro.Allowed, ", ")))
	}
	return lines
}

// stageLine is "stage 2/4 (5 % -> 25 %)  HOLD  not enough evidence  ~6 min left".
func stageLine(ro admin.Rollout) string {
	line := fmt.Sprintf("  stage %d/%d", ro.Stage.Index, ro.Stage.Count)
	if i := ro.Stage.Index; i >= 1 && i < len(ro.Stages) {
		line += fmt.Sprintf(" (%s -> %s)", ro.Stages[i-1].Label, ro.Stages[i].Label)
	} else if i >= 1 && i == len(ro.Stages) {
		line += fmt.Sprintf(" (%s)", ro.Stages[i-1].Label)
	}
	// What has ended has no verdict any more: its phase says how.
	if _, over := ended(ro); ro.Verdict != "" && !over {
		line += "  " + strings.ToUpper(ro.Verdict)
	}
	if ro.Reason != "" {
		line += "  " + words(ro.Reason)
	}
	if r := ro.Stage.RemainingSeconds; r != nil && *r > 0 {
		line += "  ~" + span(*r) + " left"
	}
	return line
}

// gateText is one gate in two to four lines.
func gateText(g admin.Gate) []string {
	name := strings.TrimPrefix(g.Metric, "latency_")
	if g.Metric == "error_rate" {
		name = "errors"
	}
	if g.DryRun {
		name += " (dry run)"
	}
	body := pointsText(g)
	switch {
	case g.Outside():
		body = []string{gate.Numbers(&g)}
	case g.Scale == "ratio":
		body = ratioText(g)
	}
	lines := hanging(fmt.Sprintf("  %-7s  ", name), body[0])
	for _, l := range body[1:] {
		lines = append(lines, wrapped(l, strings.Repeat(" ", 11))...)
	}
	return lines
}

func pointsText(g admin.Gate) []string {
	body := []string{fmt.Sprintf("canary %s, %s %s: %s",
		share(g.Canary, g.Samples.CanaryBad, g.Samples.Canary), baselineWord(g), share(g.Stable, g.Samples.StableBad, g.Samples.Stable), verdictWord(g))}
	switch {
	case g.Samples.Canary == 0:
	case !weighs(g) && !g.Absolute:
		body = append(body, fmt.Sprintf("harm %s pt", points(g.Difference)))
	case !weighs(g):
	case g.Absolute:
		body = append(body, fmt.Sprintf("the canary's rate is between %s and %s (95 %%)", rate(g.DifferenceLow), rate(g.DifferenceHigh)))
	default:
		body = append(body, fmt.Sprintf("harm %s pt, between %s and %s (95 %%)", points(g.Difference), points(g.DifferenceLow), points(g.DifferenceHigh)))
	}
	return append(body, oddsText(g)...)
}

func ratioText(g admin.Gate) []string {
	_, at := quantityOf(g)
	ratio := "-"
	if g.Difference > 0 {
		ratio = fmt.Sprintf("%.2f", g.Difference)
	}
	text := fmt.Sprintf("canary %s, %s %s, ratio %s (limit %s): %s", canaryLatency(g), baselineWord(g), millis(g.Stable), ratio, at(g.HoldLimit), verdictWord(g))
	if g.Absolute && g.Difference > 0 {
		text = fmt.Sprintf("canary %s (limit %s), stable %s: %s", canaryLatency(g), at(g.HoldLimit), millis(g.Stable), verdictWord(g))
	}
	return append([]string{text}, oddsText(g)...)
}

// oddsText is what a gate has to show, and when it rolls back.
func oddsText(g admin.Gate) []string {
	if !weighs(g) {
		return limitText(g)
	}
	_, at := quantityOf(g)
	_, right, wrong := sides(g)
	body := []string{fmt.Sprintf("must show %s %s: odds %s of %s", right, at(g.PassLimit), odds(g.PassOdds), odds(g.PassNeeds))}
	if g.RollbackLimit != nil && g.FailNeeds != nil {
		body = append(body, fmt.Sprintf("rolls back at %s %s with odds %s: now %s", wrong, at(*g.RollbackLimit), odds(*g.FailNeeds), odds(g.FailOdds)))
	}
	return body
}

// share is "0.50 % (5/1,000)"; without a sample it is "no request".
func share(r float64, bad, all uint64) string {
	if all == 0 {
		return "no request"
	}
	return fmt.Sprintf("%s (%s/%s)", rate(r), count(bad), count(all))
}

// verdictWord is "ok", "hold" or "FAIL".
func verdictWord(g admin.Gate) string {
	switch g.Verdict {
	case gate.Pass:
		return "ok"
	case gate.Fail:
		return "FAIL"
	case gate.Hold:
	}
	return "hold"
}

// baselineWord names what stands beside the canary's numbers.
func baselineWord(g admin.Gate) string {
	if g.Past {
		return "before"
	}
	return "stable"
}

func usersText(ro admin.Rollout) []string {
	text := fmt.Sprintf("design effect %.1f, %s left out", ro.Users.DesignEffect, plural(ro.Users.MaskedBuckets, "noisy bucket"))
	if ro.Users.WorstBucketShare > 0 {
		text += fmt.Sprintf(", worst bucket %.0f %% of canary errors", ro.Users.WorstBucketShare*100)
	}
	return hanging("  users    ", text)
}

// brief is one line about a rollout, for watch and wait.
func brief(ro admin.Rollout, now time.Time) string {
	line := fmt.Sprintf("%s  %s  %s  %s", now.Format(time.TimeOnly), ro.Name, words(ro.Phase), percent(ro.Weight))
	if ro.Stage.Count > 0 {
		line += fmt.Sprintf("  stage %d/%d", ro.Stage.Index, ro.Stage.Count)
	}
	if ro.Reason != "" {
		line += "  " + words(ro.Reason)
	}
	return clean(line)
}

// onlyFor says whom a rollout or experiment is for.
func onlyFor(audience string) string {
	if audience == "" {
		return ""
	}
	return "  for audience " + audience + " only"
}
