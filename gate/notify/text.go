package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"serin/gate"
)

// fact is one line of a message: a name and what it is.
type fact struct{ Name, Value string }

// headline is a notice in a few words.
func headline(n *Notice) string {
	text := n.Rollout + " " + happened(n)
	switch {
	case n.Sample:
		text = "Sample, nothing has happened: " + text
	case n.DryRun:
		text = "Dry run: " + text
	case n.State == Resolved:
		text = "Resolved: " + n.Rollout + " is " + strings.ReplaceAll(n.Phase, "_", " ")
	case n.State == Acknowledged:
		text = "Acknowledged: " + text
	case n.Repeat > 0:
		text = "Still: " + text
	}
	if n.Override {
		text += " (override)"
	}
	return text
}

func happened(n *Notice) string {
	if n.Control != "" {
		return happenedToExperiment(n)
	}
	switch n.Event {
	case EventHold:
		return "is on hold at " + percent(n.To)
	case EventApproval:
		text := "waits for approval"
		if n.Owner != "" {
			text = "waits for " + n.Owner + " to approve"
		} else if n.Awaits != "" {
			text += " of"
		}
		return strings.TrimSpace(text + " " + n.Awaits)
	case EventApprove:
		return "was approved by " + n.Actor
	case EventRollback:
		if n.From == n.To {
			return "was rolled back at " + percent(n.To)
		}
		return "was rolled back from " + percent(n.From) + " to " + percent(n.To)
	case EventComplete:
		return "is complete: everybody is on " + n.Revision
	case EventStart:
		return "has begun at " + percent(n.To)
	case EventAdvance, EventPromote, EventStepBack:
		return "went from " + percent(n.From) + " to " + percent(n.To)
	}
	return strings.ReplaceAll(n.Event, "_", " ") + " at " + percent(n.To)
}

func happenedToExperiment(n *Notice) string {
	switch {
	case n.Arm != "":
		return "has stopped the arm " + n.Arm
	case n.Event == EventStart:
		return "has begun: " + percent(n.To) + " of the users are not on " + n.Control
	case n.Event == EventRollback:
		return "has stopped every arm"
	case n.Event == EventComplete:
		return "is over: everybody is on " + n.Control
	case n.Event == EventRevision:
		return "begins anew"
	}
	return strings.ReplaceAll(n.Event, "_", " ")
}

// facts are the numbers behind a notice, the most telling first.
func facts(n *Notice) []fact {
	var list []fact
	add := func(name, format string, args ...any) { list = append(list, fact{name, fmt.Sprintf(format, args...)}) }
	if n.Stage.Index > 0 && n.Control == "" {
		add("Stage", "%d of %d, %s", n.Stage.Index, n.Stage.Count, n.Stage.Label)
	}
	if n.Arms.Canary.Requests+n.Arms.Stable.Requests > 0 {
		canary, stable := "Canary", "Stable"
		if n.Control != "" {
			canary, stable = "Arm "+n.Arm, "Control "+n.Control
		}
		add(canary, "%s", armText(n.Arms.Canary))
		add(stable, "%s", armText(n.Arms.Stable))
	}
	if n.Control == "" { // a gate speaks of canary and stable; what an arm was stopped for is in the sentence
		for i := range n.Gates {
			add(n.Gates[i].Metric, "%s (%s)", gate.Numbers(&n.Gates[i]), n.Gates[i].Rule)
		}
		if n.Reason != "" {
			add("Reason", "%s", gate.Reason(n.Reason).Text())
		}
	}
	if n.Actor != "" && n.Actor != gate.ActorGate && n.Actor != gate.ActorSerin {
		who := n.Actor
		if n.Note != "" {
			who += ": " + n.Note
		}
		add("By", "%s", who)
	}
	if n.Exposure.Requests > 0 {
		add("Cost so far", "%s requests of about %s users, %s failed", count(n.Exposure.Requests), count(n.Exposure.Users), count(n.Exposure.Failed))
	}
	if n.Until != nil {
		add("Without an answer", "%s at %s", n.Then, stamp(*n.Until))
	}
	return list
}

func armText(a Arm) string {
	text := "no request"
	if a.Requests > 0 {
		text = fmt.Sprintf("%s failed (%s of %s)", percent(float64(a.Errors)/float64(a.Requests)), count(a.Errors), count(a.Requests))
	}
	if a.P99MS > 0 {
		text += fmt.Sprintf(", p99 %s ms", strconv.FormatFloat(a.P99MS, 'f', 0, 64))
	}
	return text
}

// stamp is a wall time that means the same to every reader.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

func percent(share float64) string {
	text := strconv.FormatFloat(share*100, 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " %"
}

// count groups thousands: "15,087".
func count(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// limit cuts text to at most n characters, with a mark where something is missing.
func limit(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// commandText are the commands, a line each.
func commandText(n *Notice) string { return strings.Join(n.Commands, "\n") }
