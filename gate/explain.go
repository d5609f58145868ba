package gate

import (
	"fmt"
	"strings"
	"time"
)

// Explain is a decision in one sentence: the log, the command line, the page and the notices all say it in these words.
// s is the state after the decision.
func Explain(s State, p *Policy, d Decision) string {
	if d.DryRun {
		dry := d
		dry.DryRun, dry.To = false, d.Would
		return "Dry run, nothing moved: would " + infinitive(d.Action) + travel(s, p, &dry) + because(s, p, &dry) + "."
	}
	switch d.Action {
	case ActHold:
		return holdSentence(s, p, &d)
	case ActStart:
		return startSentence(s, p, &d)
	case ActAdvance, ActWiden, ActPromote, ActRollback, ActStepBack:
		if d.Action == ActRollback && !d.News {
			return "Rolled back already."
		}
		return past(d.Action) + travel(s, p, &d) + over(&d) + by(&d) + because(s, p, &d) + "." + overload(p, &d)
	case ActComplete:
		return fmt.Sprintf("Completed%s: everybody is on revision %s.", by(&d), s.Revision)
	case ActPause:
		if s.Frozen {
			return fmt.Sprintf("Paused at %s%s with everything else%s.", place(s, p), by(&d), noted(&d))
		}
		return fmt.Sprintf("Paused at %s%s%s%s.", place(s, p), by(&d), takenOver(&d), noted(&d))
	case ActResume:
		return resumeSentence(s, p, &d)
	case ActApprove:
		return approveSentence(s, p, &d)
	case ActRetry:
		first := max(s.From, 1)
		return fmt.Sprintf("Attempt %d of revision %s%s%s: it begins with stage %d, %s, once its pool is healthy.",
			s.Attempt, s.Revision, by(&d), noted(&d), first, stageName(p, first))
	case ActRestart:
		return fmt.Sprintf("New revision %s: the canary is empty, attempt %d %s.", s.Revision, s.Attempt, expects(&s))
	case ActReplan:
		return replanSentence(s, p, &d)
	case ActFreeze:
		return fmt.Sprintf("Frozen at %s%s; this version must not be reverted (on_fail = \"freeze\"), so a person decides.",
			place(s, p), because(s, p, &d))
	case ActWithdrawn:
		return "Withdrawn: the configuration has this rollout no more; nobody is on its canary."
	case ActAwait:
		return awaitSentence(s, p)
	case ActRefuse:
		return refuseSentence(s, p, &d)
	case ActDrill:
		return drillSentence(s)
	case ActStopArm: // package experiment says more
		return fmt.Sprintf("Stopped an arm of the experiment%s.", by(&d))
	case ActEnd:
		return "The experiment's time is over."
	}
	panic(fmt.Sprintf("BUG: no sentence for action %d", d.Action))
}

func infinitive(a Action) string {
	switch a {
	case ActStepBack:
		return "step back"
	case ActRollback:
		return "roll back"
	case ActHold, ActStart, ActAdvance, ActComplete, ActPause, ActResume, ActPromote, ActApprove, ActRetry, ActRestart,
		ActReplan, ActFreeze, ActWithdrawn, ActAwait, ActRefuse, ActWiden, ActDrill, ActStopArm, ActEnd:
	}
	return a.String()
}

func past(a Action) string {
	switch a {
	case ActStepBack:
		return "Stepped back"
	case ActRollback:
		return "Rolled back"
	case ActAdvance:
		return "Advanced"
	case ActWiden:
		return "Widened"
	case ActPromote:
		return "Promoted"
	case ActHold, ActStart, ActComplete, ActPause, ActResume, ActApprove, ActRetry, ActRestart, ActReplan, ActFreeze,
		ActWithdrawn, ActAwait, ActRefuse, ActDrill, ActStopArm, ActEnd:
	}
	return a.String()
}

func move(d *Decision) string {
	if d.From == d.To {
		return fmt.Sprintf(" at %s", d.To)
	}
	return fmt.Sprintf(" from %s to %s", d.From, d.To)
}

// by names a person; gates and serin itself need no name.
func by(d *Decision) string {
	if d.Actor == "" || d.Actor == ActorGate || d.Actor == ActorSerin {
		return ""
	}
	return " by " + d.Actor
}

// takenOver names whose pause it was.
func takenOver(d *Decision) string {
	if d.TakenFrom == "" {
		return ""
	}
	return ", taking over from " + d.TakenFrom
}

// inPlace names the owner of a stage that somebody else let begin.
func inPlace(d *Decision) string {
	if d.TakenFrom == "" {
		return ""
	}
	return " in place of " + d.TakenFrom
}

func noted(d *Decision) string {
	if d.Note == "" {
		return ""
	}
	return " (" + d.Note + ")"
}

// because is why something moved, after a colon.
func because(s State, p *Policy, d *Decision) string {
	switch d.Reason {
	case Passed, Started:
		return ": " + passedText(s, p, d)
	case HoldTimedOut:
		return fmt.Sprintf(": a finding held it for %s, and nobody decided otherwise", Span(p.HoldTimeout))
	case ApprovalTimedOut:
		return ": nobody approved the next stage in time"
	case Sparse:
		return " without the gates' evidence, for want of traffic (sparse = \"widen\")"
	case Manual:
		if d.Action == ActPromote {
			return ", without waiting for the gates" + inPlace(d) + noted(d)
		}
		return noted(d)
	case CanaryPoolUnhealthy:
		return ": nobody can reach the canary, while stable answers"
	}
	if f := leading(d, Fail); f != nil {
		return ": " + comparison(f)
	}
	return ": " + d.Reason.Text()
}

func passedText(s State, p *Policy, d *Decision) string {
	if len(d.Findings) == 0 {
		if d.Action == ActStart {
			return "the canary's pool is healthy"
		}
		if text := unjudgedText(d); text != "" {
			return "the stage's time is over; " + text + ", and no gate has a limit of its own"
		}
		return "the stage's time is over, and it has no gate"
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.DryRun || f.Scale != scalePoints || f.Verdict != Pass {
			continue
		}
		if f.Absolute {
			return fmt.Sprintf("every gate passed (%s of the canary %s, limit %s)", nouns(f.Metric), percent(f.Canary), percent(f.HoldLimit))
		}
		return fmt.Sprintf("every gate passed (%s of the canary %s, %s %s)", nouns(f.Metric), percent(f.Canary), whose(f), percent(f.Stable))
	}
	return "every gate passed"
}

// comparison is a finding against its limits, with the numbers a person would ask for.
func comparison(f *Finding) string {
	limit, rule := f.HoldLimit, "hold"
	if f.Verdict == Fail && f.RollbackLimit != nil {
		limit, rule = *f.RollbackLimit, "rollback"
	}
	switch {
	case f.Scale == scaleAnswer:
		return answerText(f)
	case f.Scale == scaleValue:
		return fmt.Sprintf("%s says %s (%s limit %s)", f.Metric, decimals(f.Canary, 4), rule, decimals(limit, 4))
	case f.Unanswered && f.Absolute:
		return fmt.Sprintf("the canary's %s is beyond its clients' patience (%s limit %s)", quantity(f), rule,
			milliseconds(f.Canary/f.Difference*limit))
	case f.Unanswered:
		return fmt.Sprintf("the canary's %s is beyond its clients' patience, against %s %s%s (%s limit %s)", quantity(f),
			milliseconds(f.Stable), whose(f), lately(f), rule, decimals(limit, 2))
	case f.Scale == scaleRatio && f.Absolute:
		return fmt.Sprintf("the canary's %s is %s (%s limit %s)", quantity(f), milliseconds(f.Canary), rule,
			milliseconds(f.Canary/f.Difference*limit))
	case f.Scale == scaleRatio:
		return fmt.Sprintf("the canary's %s is %s against %s %s, %s times as much%s (%s limit %s)", quantity(f),
			milliseconds(f.Canary), milliseconds(f.Stable), whose(f), decimals(f.Difference, 2), lately(f), rule, decimals(limit, 2))
	case f.Absolute:
		return fmt.Sprintf("the canary's %s is %s%s (%s limit %s)", quantity(f), percent(f.Canary), lately(f), rule, percent(limit))
	}
	sign := "+"
	if f.Lower {
		sign = "-"
	}
	return fmt.Sprintf("the canary's %s is %s against %s %s%s (%s limit %s %s)", quantity(f), percent(f.Canary),
		percent(f.Stable), whose(f), lately(f), rule, sign, points(limit))
}

// lately names the window that the numbers are of.
func lately(f *Finding) string {
	if f.WindowSeconds == 0 {
		return ""
	}
	return " in the last " + Span(time.Duration(f.WindowSeconds*float64(time.Second)))
}

// leading is the first obeyed finding with a verdict; nil where there is none.
func leading(d *Decision, v Verdict) *Finding {
	for i := range d.Findings {
		if f := &d.Findings[i]; f.Verdict == v && !f.DryRun {
			return f
		}
	}
	return nil
}

func startSentence(s State, p *Policy, d *Decision) string {
	if d.Phase == Waiting {
		return fmt.Sprintf("Start asked for%s%s: it begins with %s once the canary's pool is healthy and the window is open.",
			by(d), noted(d), stageName(p, max(s.From, 1)))
	}
	if d.Phase != Progressing || d.From == d.To && d.Actor != ActorGate {
		return "Started already" + by(d) + "."
	}
	if p.DryRun && d.To == 0 {
		return fmt.Sprintf("Dry run of revision %s at stage %d, %s: serin judges what the canary gets and moves nobody; a person may, with serin promote %s.",
			s.Revision, s.Stage, stageName(p, s.Stage), p.Rollout)
	}
	return fmt.Sprintf("Started revision %s at stage %d, %s: the canary's pool is healthy.", s.Revision, s.Stage, stageName(p, s.Stage))
}

func resumeSentence(s State, p *Policy, d *Decision) string {
	switch {
	case d.Override:
		return fmt.Sprintf("Resumed at %s%s in spite of the hold%s.", place(s, p), by(d), noted(d))
	case d.Actor != ActorGate:
		return fmt.Sprintf("Resumed at %s%s%s%s.", place(s, p), by(d), takenOver(d), noted(d))
	case d.Reason == Collecting:
		return fmt.Sprintf("Resumed at %s: the finding has been gone for %s; the evidence starts anew.", place(s, p), Span(clearFor))
	}
	return fmt.Sprintf("Resumed at %s: what it was held for is over.", place(s, p))
}

func approveSentence(s State, p *Policy, d *Decision) string {
	name := stageName(p, s.Approved)
	if d.Reason == ApprovalTimedOut {
		return fmt.Sprintf("Nobody answered in time, so %s may begin as configured (on_timeout = \"advance\").", name)
	}
	return fmt.Sprintf("Approved%s%s%s: %s begins once the gates agree.", by(d), inPlace(d), noted(d), name)
}

func awaitSentence(s State, p *Policy) string {
	stage := nextStage(&s, p)
	who := "a person"
	if owner := p.stage(stage).Owner; owner != "" {
		who = owner
	}
	if s.Stage == 0 {
		return fmt.Sprintf("Waiting for %s to approve the start with %s.", who, stageName(p, stage))
	}
	return fmt.Sprintf("Waiting for %s to approve %s: %s is over and nothing speaks against it.", who, stageName(p, stage), stageName(p, s.Stage))
}

func replanSentence(s State, p *Policy, d *Decision) string {
	switch {
	case d.Reason == NewRevision:
		return fmt.Sprintf("New rollout of revision %s: it %s.", s.Revision, expects(&s))
	case s.Phase == Completed:
		return fmt.Sprintf("The configuration names revision %s again, which is complete: nobody moves.", s.Revision)
	case s.Stage == 0:
		return fmt.Sprintf("The configuration has another ladder of %d stages; nothing has begun.", len(p.Stages))
	}
	return fmt.Sprintf("The configuration has another ladder, other gates or another audience: still at %s, now stage %d of %d.", place(s, p), s.Stage, len(p.Stages))
}

func refuseSentence(s State, p *Policy, d *Decision) string {
	verb := d.Verb
	if verb == "" || verb == noText {
		verb = "the wish"
	}
	switch d.Refusal {
	case RefusedVersion:
		return fmt.Sprintf("Nothing changed: the rollout is at version %d, not at the one %s was meant for.", s.Version, verb)
	case RefusedRole:
		return fmt.Sprintf("Nothing changed: %s is not this role's to %s.", stageName(p, nextStage(&s, p)), verb)
	case RefusedCeiling:
		return fmt.Sprintf("Nothing changed: %s would lead above the actor's ceiling.", verb)
	case RefusedReason:
		return fmt.Sprintf("Nothing changed: %s is an override here and needs a reason.", verb)
	case RefusedInput:
		return fmt.Sprintf("Nothing changed: %s asks for what does not exist (the ladder has %d stages).", verb, len(p.Stages))
	case RefusedLoad:
		if d.Overload < 0 {
			return "Nothing changed: how much traffic there is, is not known yet, and the canary's pool has a capacity; ask again in some seconds."
		}
		return fmt.Sprintf("Nothing changed: the canary's pool carries %s requests/s, so at this load at most %s.",
			decimals(p.Capacity, 1), p.MostWeight(d.Overload))
	case RefusedFreeze:
		return "Nothing changed: everything is paused; serin resume --all ends that."
	case RefusedPhase:
	}
	return fmt.Sprintf("Nothing changed: %s does not apply while the rollout is %s.", verb, strings.ReplaceAll(s.Phase.String(), "_", " "))
}

// expects says what an attempt before its first stage is doing.
func expects(s *State) string {
	if s.Phase == Paused {
		return "stays paused"
	}
	return "waits for its first stage"
}

// nextStage is the stage that would begin next; past the last one it is the last.
func nextStage(s *State, p *Policy) int {
	if s.Stage == 0 {
		return max(s.From, 1)
	}
	stage, _, _ := p.crossing(s)
	return min(stage, len(p.Stages))
}

// stageName is a stage as a sentence names it: its label, or its share.
func stageName(p *Policy, i int) string {
	if st := p.stage(i); st.Label != "" {
		return st.Label
	}
	return p.stage(i).Weight.String()
}
