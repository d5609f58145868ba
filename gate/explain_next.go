package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"serin/router"
)

// Next says what happens next, and when, as far as that can be told. d is the newest decision, now the wall time in the
// reader's zone.
func Next(s State, p *Policy, d Decision, now time.Time) string {
	switch s.Phase {
	case Waiting:
		return nextOfWaiting(s, p, now)
	case Progressing:
		return nextOfProgress(s, p, &d, now)
	case AwaitingApproval:
		return nextOfApproval(s, p, now)
	case Holding:
		return nextOfHold(s, p, now)
	case Paused:
		if s.Frozen {
			return "Nothing widens until everything is resumed: serin resume --all; it still rolls back on a fail."
		}
		return "Nothing widens until somebody resumes; it still rolls back on a fail."
	case Completed:
		if rest := until(p.KeepOld, s.Kept); rest > 0 {
			return fmt.Sprintf("The old pool stays warm until about %s; until then a rollback is instant.", clock(now.Add(rest), now))
		}
		return "The next release: make this version stable and name a new canary."
	case RolledBack:
		if rest := EbbLeft(s, p); rest > 0 {
			return fmt.Sprintf("Everybody is on stable at about %s; another rollback does it at once.", clockSeconds(now.Add(rest)))
		}
		return fmt.Sprintf("A new revision, or: serin retry %s.", p.Rollout)
	}
	panic(fmt.Sprintf("BUG: no such phase: %d", s.Phase))
}

func nextOfWaiting(s State, p *Policy, now time.Time) string {
	switch {
	case s.Reason == DrillRequired:
		return fmt.Sprintf("Starts at %s once a drill has passed: serin drill %s.", stageName(p, max(s.From, 1)), p.Rollout)
	case s.Withdrawn:
		return ""
	case s.Reason == StableOutdated:
		return fmt.Sprintf("Starts once stable names revision %s.", s.Live)
	case s.Reason == Manual && p.ManualStart && !s.Begun:
		return fmt.Sprintf("Starts with: serin start %s.", p.Rollout)
	case s.Reason == WindowClosed:
		return fmt.Sprintf("Starts at %s when the window opens%s.", stageName(p, nextStage(&s, p)), opening(p, now))
	case s.Reason == CapacityReached:
		return fmt.Sprintf("Starts at %s once there is less traffic, or more capacity.", stageName(p, nextStage(&s, p)))
	}
	return fmt.Sprintf("Starts at %s once the canary's pool is healthy.", stageName(p, nextStage(&s, p)))
}

// goal is what a pass leads to: "Advance to 25 %", "Complete".
func goal(s State, p *Policy) string {
	stage, weight, _ := p.crossing(&s)
	switch {
	case stage > len(p.Stages):
		return "Complete"
	case !p.free(stage) && s.Approved != stage:
		return "Ask for the approval of " + stageName(p, stage)
	case p.stage(stage).Label != "":
		return "Advance to " + stageName(p, stage)
	}
	return "Advance to " + weight.String()
}

func nextOfProgress(s State, p *Policy, d *Decision, now time.Time) string {
	to := goal(s, p)
	switch d.Reason {
	case WindowClosed:
		return to + " when the window opens" + opening(p, now) + "."
	case CapacityReached:
		return to + " once there is less traffic, or the canary's pool carries more (upstream capacity)."
	case JournalUnavailable:
		return to + " once the journal can be written."
	case StableUnhealthy:
		return to + " once stable has recovered and the gates agree."
	case CanaryPoolUnhealthy:
		return to + " once the canary's pool is healthy and the gates agree."
	case OneBucketDominates:
		return personDecides(s, p, now)
	case WorseThanStable: // the plain judge wants to see it more than once
		if p.Plain != nil && s.Failing > 0 {
			return fmt.Sprintf("Roll back after %d checks in a row beyond the rollback limit; this was number %d.", p.Plain.Failures, s.Failing)
		}
	}
	if d.Action != ActHold { // what it rests on was collected before
		return to + " once the gates agree."
	}
	f := last(d)
	if h := holder(d); h != nil && h.Reason == EstimateAboveHold {
		f = h
	}
	if f != nil && f.Reason == EstimateAboveHold {
		return fmt.Sprintf("%s once the %s is within its hold limit; roll back if it proves worse.", to, quantity(f))
	}
	if d.Expected > 0 && s.Clock+d.Expected <= limitOf(s, p) {
		return fmt.Sprintf("%s at about %s, once %s.", to, clock(now.Add(d.Expected), now), condition(s, p, f, d.Expected))
	}
	if p.MaxStage > 0 && s.Clock < limitOf(s, p) && f != nil {
		return fmt.Sprintf("%s once the %s gate has its evidence; at this traffic that is not in sight, and at about %s a person is asked.",
			to, gateName(f.Metric), clock(now.Add(limitOf(s, p)-s.Clock), now))
	}
	return to + " once the gates agree."
}

// limitOf is when a stage without a pass asks a person, on its clock.
func limitOf(s State, p *Policy) time.Duration {
	if p.MaxStage <= 0 {
		return 1 << 62
	}
	return p.MaxStage * time.Duration(1+s.Extended)
}

// last is the obeyed finding that takes longest; nil where none holds.
func last(d *Decision) *Finding {
	var slowest *Finding
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.DryRun || f.Verdict == Pass {
			continue
		}
		if slowest == nil || slowest.ExpectedSeconds != nil &&
			(f.ExpectedSeconds == nil || *f.ExpectedSeconds > *slowest.ExpectedSeconds) {
			slowest = f
		}
	}
	return slowest
}

func condition(s State, p *Policy, f *Finding, expected time.Duration) string {
	least := p.stage(s.Stage).Least
	if f == nil || until(least, s.Clock) >= expected {
		return fmt.Sprintf("%s has had its %s", stageNow(s, p), Span(least))
	}
	return fmt.Sprintf("the %s gate has its evidence", gateName(f.Metric))
}

func nextOfApproval(s State, p *Policy, now time.Time) string {
	stage := nextStage(&s, p)
	text := fmt.Sprintf("%s begins with: serin approve %s", strings.ToUpper(stageName(p, stage)[:1])+stageName(p, stage)[1:], p.Rollout)
	if t := ApprovalTimer(s, p); t != nil && t.Left >= 0 {
		text += fmt.Sprintf("; without an answer by about %s: %s", clock(now.Add(t.Left), now), t.Then)
	}
	return text + "."
}

func nextOfHold(s State, p *Policy, now time.Time) string {
	t := HoldTimer(s, p)
	if t == nil || t.Left < 0 {
		return personDecides(s, p, now)
	}
	return fmt.Sprintf("%s at about %s, unless the finding clears or a person decides.",
		strings.ToUpper(t.Then[:1])+t.Then[1:], clock(now.Add(t.Left), now))
}

// personDecides names the verbs that get a rollout out of where it is.
func personDecides(s State, p *Policy, now time.Time) string {
	verbs := slices.DeleteFunc(Allowed(s, p, now), func(v string) bool { return v == VerbPause.String() })
	text := strings.Join(verbs, ", ")
	if i := strings.LastIndex(text, ", "); i >= 0 {
		text = text[:i] + " or " + text[i+2:]
	}
	return fmt.Sprintf("A person decides: serin %s %s.", text, p.Rollout)
}

// Timer is something that is waited for: how long already, how long at most, and what happens then.
type Timer struct {
	Spent time.Duration
	Left  time.Duration // < 0: for ever
	Then  string        // "roll back", "step back", "ask a person", "hold", "advance"
}

// HoldTimer is the running hold; nil where there is none. Only a confirmed finding has an end.
func HoldTimer(s State, p *Policy) *Timer {
	if s.Phase != Holding {
		return nil
	}
	t := &Timer{Spent: s.Held, Left: -1, Then: "ask a person"}
	if s.Cause != CauseFinding || s.Asked || p.HoldTimeout <= 0 {
		return t
	}
	t.Left = until(p.HoldTimeout, s.Held)
	switch frozen := s.Weight == router.Full; {
	case p.OnFail == "freeze" || frozen || p.OnHoldTimeout == "ask":
	case p.OnHoldTimeout == "step_back":
		if s.Stage > 1 && !s.hasSteppedBack() {
			t.Then = "step back"
		}
	default:
		t.Then = "roll back"
	}
	return t
}

// ApprovalTimer is the approval that is waited for; nil where none is.
func ApprovalTimer(s State, p *Policy) *Timer {
	if s.Phase != AwaitingApproval {
		return nil
	}
	a := p.stage(nextStage(&s, p)).Approve
	if a == nil || a.Timeout <= 0 {
		return &Timer{Spent: s.Waited, Left: -1, Then: "hold"}
	}
	then := "hold"
	switch a.OnTimeout {
	case "advance":
		then = "advance"
	case "rollback":
		then = "roll back"
	}
	return &Timer{Spent: s.Waited, Left: until(a.Timeout, s.Waited), Then: then}
}
