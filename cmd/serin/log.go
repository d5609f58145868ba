package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

func newLogCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log [NAME]",
		Short: "decisions from the journal, newest first",
		Args:  oneName,
	}
	since := cmd.Flags().String("since", "", "only decisions since then: 1h ago, or a time\n(2026-11-20T14:00:00Z)")
	limit := cmd.Flags().Int("limit", 100, "at most so many, 1 to 1000")
	var from time.Time
	check := func([]string) (err error) {
		if from, err = sinceTime(*since, time.Now()); err == nil && (*limit < 1 || *limit > 1000) {
			err = usagef("1 to 1000", "--limit %d is out of range", *limit)
		}
		return err
	}
	e.asks(cmd, check, func(ctx context.Context, q *question, args []string) error {
		name := ""
		if len(args) == 1 {
			name = args[0] // the journal may know rollouts that the configuration has dropped
		} else {
			ro, err := q.pick(ctx, nil)
			if err != nil {
				return err
			}
			name = ro.Name
		}
		list, err := q.Decisions(ctx, name, from, *limit)
		if err != nil {
			return err
		}
		return q.answer(admin.Decisions{Decisions: list}, func() {
			now := time.Now()
			for _, d := range list {
				e.print(decisionText(d, now)...)
			}
			if len(list) == 0 {
				fmt.Fprintln(e.stderr, "serin: no decision of "+clean(name)+" in that time")
			}
		})
	})
	return cmd
}

// sinceTime reads a duration back from now or a wall time.
func sinceTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, usagef("use 1h or 2026-11-20T14:00:00Z", "--since %q is neither a duration nor a time", s)
	}
	return at, nil
}

func decisionText(d admin.DecisionView, now time.Time) []string {
	head := fmt.Sprintf("%s  %s  %s", clock(d.At, now), d.ID, words(d.Action))
	if d.From != d.To {
		head += fmt.Sprintf("  %s -> %s", percent(d.From), percent(d.To))
	}
	head += "  by " + d.Actor
	if d.Evidence.Override {
		head += "  override"
	}
	lines := append([]string{cut(head)}, wrapped(d.Sentence, "  ")...)
	if d.Evidence.Note != "" {
		lines = append(lines, wrapped("reason: "+d.Evidence.Note, "  ")...)
	}
	return append(lines, attemptText(d.Attempt)...)
}
