package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"serin/proxy/admin"
)

// statusAnswer is the JSON of status without a name.
type statusAnswer struct {
	Rollouts    []admin.Rollout    `json:"rollouts"`
	Experiments []admin.Experiment `json:"experiments,omitempty"`
	Flags       []admin.FlagView   `json:"flags,omitempty"`
}

// trials asks for experiments and flags; a daemon that knows none of them has none.
func trials(ctx context.Context, c *admin.Client) ([]admin.Experiment, []admin.FlagView, error) {
	experiments, err := c.Experiments(ctx)
	if err != nil {
		return nil, nil, err
	}
	flags, err := c.Flags(ctx)
	return experiments, flags, err
}

// experimentNamed is the experiment of a name that no rollout has; the first error stands where there is none either.
func experimentNamed(ctx context.Context, c *admin.Client, name string, first error) (admin.Experiment, error) {
	var status *admin.StatusError
	if !errors.As(first, &status) || status.Status != http.StatusNotFound {
		return admin.Experiment{}, first
	}
	x, err := c.Experiment(ctx, name)
	if err != nil {
		return admin.Experiment{}, first
	}
	return x, nil
}

// experimentText is one experiment for a person: how it stands and its table.
func experimentText(x admin.Experiment) []string {
	lines := []string{cut(fmt.Sprintf("%s  experiment  %s", x.Name, words(x.Phase)) + onlyFor(x.Audience))}
	lines = append(lines, wrapped(x.Sentence, "  ")...)
	lines = append(lines, armsText(x.Arms)...)
	lines = append(lines, wrapped(ratioLine(x), "  ")...)
	for _, a := range x.Arms {
		for _, g := range a.Gates {
			for _, line := range gateText(g)[:1] {
				lines = append(lines, cut("  "+a.Name+":"+line))
			}
		}
	}
	return lines
}

// ratioLine says whether the users are spread as they should be.
func ratioLine(x admin.Experiment) string {
	r := x.SampleRatio
	switch r.Verdict {
	case "mismatch":
		return fmt.Sprintf("SAMPLE RATIO MISMATCH: odds %s to 1 that users are not spread as configured; the table compares different people", odds(r.Odds))
	case "too_few":
		return "sample ratio: too few users to say"
	case "saturated":
		return "sample ratio: nearly every bucket has been seen, so counts of them say nothing"
	}
	return fmt.Sprintf("sample ratio as configured (odds against it %s of %s)", odds(r.Odds), odds(r.Needs))
}

// flagText is one flag in a line, and what to do when it is stale.
func flagText(f admin.FlagView, now time.Time) []string {
	owner := f.Rollout
	if owner == "" {
		owner = f.Experiment
	}
	line := fmt.Sprintf("%s  flag of %s ", f.Name, owner)
	for i, v := range f.Variants {
		if i > 0 {
			line += ","
		}
		line += fmt.Sprintf(" %s %s for %s", v.Name, valueText(v.Value), percent(v.Share))
	}
	lines := hanging("", clean(line))
	if f.Stale {
		lines = append(lines, fmt.Sprintf("  stale: everybody has had the same value for %s; remove it from the code and from the file", span(now.Sub(*f.SettledAt).Seconds())))
	}
	return lines
}

// valueText is a flag's value as JSON.
func valueText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return clean(string(text))
}
