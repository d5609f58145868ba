package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"serin/proxy/admin"
)

// tellFrozen says who has paused everything, and why.
func (e *env) tellFrozen(ctx context.Context, c *admin.Client) {
	f, err := c.Freeze(ctx)
	if err != nil || f == nil {
		return
	}
	text := fmt.Sprintf("everything is paused by %s since %s", f.Actor, clock(f.Since, time.Now()))
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	e.print(append(wrapped(text, ""), "")...)
}

// attemptText is what an attempt cost, told with the decision that ended it.
func attemptText(a *admin.Attempt) []string {
	if a == nil {
		return nil
	}
	lines := wrapped(fmt.Sprintf("attempt %d of revision %s had %s of about %s on the canary; %s failed, for about %s",
		a.Number, a.Revision, numbered(a.Requests, "request"), numbered(a.Users, "user"), count(a.Failed), numbered(a.UsersFailed, "user")), "  ")
	if len(a.Shares) > 0 {
		lines = append(lines, wrapped("of that: "+sharesText(a.Shares), "  ")...)
	}
	return lines
}

// sharesText is "42 s at 1 % (120 requests, 3 failed), ...".
func sharesText(shares []admin.ShareTime) string {
	parts := make([]string, len(shares))
	for i, s := range shares {
		parts[i] = fmt.Sprintf("%s at %s (%s requests, %s failed)", span(s.Seconds), percent(s.Weight), count(s.Requests), count(s.Failed))
	}
	return strings.Join(parts, ", ")
}

// capacityText is what the pools carry, and what comes.
func capacityText(c *admin.Capacity) []string {
	if c == nil {
		return nil
	}
	rate := "not known yet"
	if c.Rate != nil {
		rate = fmt.Sprintf("%.1f requests/s", *c.Rate)
	}
	text := "traffic " + rate
	if c.Canary != nil {
		text += fmt.Sprintf("; the canary's pool carries %.1f", *c.Canary)
		if c.MostWeight != nil {
			text += ", at most " + percent(*c.MostWeight)
		}
	}
	if c.Stable != nil {
		text += fmt.Sprintf("; stable's carries %.1f", *c.Stable)
	}
	return wrapped(text, "  ")
}
