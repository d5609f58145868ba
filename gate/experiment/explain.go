package experiment

import (
	"fmt"
	"strconv"
	"strings"

	"serin/gate"
)

// Explain says a decision in one sentence. next is the state after it.
func Explain(next gate.State, p *Policy, d gate.Decision) string {
	control := p.Arms[0].Name
	switch d.Action {
	case gate.ActStart:
		names := make([]string, len(p.Arms))
		for i, a := range p.Arms {
			names[i] = a.Name + " " + a.Share.String()
		}
		return fmt.Sprintf("The experiment runs for %s: %s.", gate.Span(p.For), strings.Join(names, ", "))
	case gate.ActStopArm:
		text := fmt.Sprintf("Stopped %s; its users are on %s: %s.", d.Arm, control, why(d))
		if next.Phase == gate.RolledBack {
			text += " No arm is left, the experiment is over."
		}
		return text
	case gate.ActRollback:
		return fmt.Sprintf("Stopped every arm; everybody is on %s: %s.", control, why(d))
	case gate.ActEnd:
		return fmt.Sprintf("The experiment is over after %s; everybody is on %s.", gate.Span(p.For), control)
	case gate.ActRestart:
		return fmt.Sprintf("Arms, shares, salt or audience were changed: another experiment begins, and everybody is on %s until it does.", control)
	case gate.ActWithdrawn:
		return "The file has the experiment no more."
	case gate.ActRefuse:
		if d.Refusal == gate.RefusedInput {
			return fmt.Sprintf("%q is no arm that could be stopped.", d.Arm)
		}
		return "Nothing to stop: the experiment does not run."
	case gate.ActHold:
		return Situation(next, p)
	case gate.ActAdvance, gate.ActComplete, gate.ActStepBack, gate.ActPause, gate.ActResume, gate.ActPromote, gate.ActApprove, gate.ActRetry,
		gate.ActReplan, gate.ActFreeze, gate.ActAwait, gate.ActWiden:
	}
	panic("BUG: an experiment does not " + d.Action.String())
}

// Situation is how the experiment stands, in one sentence.
func Situation(s gate.State, p *Policy) string {
	control := p.Arms[0].Name
	switch {
	case s.Phase == gate.Completed:
		return fmt.Sprintf("Over after %s; everybody is on %s and the result stands.", gate.Span(p.For), control)
	case s.Phase == gate.RolledBack && s.Reason == gate.RestartReplayed:
		return fmt.Sprintf("Everybody is on %s: what the last process decided cannot be read. Change the experiment's name or an arm to begin anew.", control)
	case s.Phase == gate.RolledBack:
		return fmt.Sprintf("Every arm was stopped; everybody is on %s.", control)
	case s.Phase != gate.Progressing:
		return fmt.Sprintf("Not begun yet; everybody is on %s.", control)
	case len(s.Stopped) > 0:
		return fmt.Sprintf("Running, %s left; %s stopped.", gate.Left(p.For-s.Clock), strings.Join(s.Stopped, ", "))
	}
	return fmt.Sprintf("Running, %s left.", gate.Left(p.For-s.Clock))
}

// why is what an arm was stopped for.
func why(d gate.Decision) string {
	if d.Actor != gate.ActorGate {
		text := "stopped by " + d.Actor
		if d.Note != "" {
			text += " (" + d.Note + ")"
		}
		return text
	}
	for _, f := range d.Findings {
		if f.Verdict != gate.Fail || f.DryRun {
			continue
		}
		if f.Scale == "ratio" {
			return fmt.Sprintf("%s is %.1f ms, the control's is %.1f ms (%s)", f.Metric, f.Canary, f.Stable, f.Rule)
		}
		return fmt.Sprintf("%s is %s (%d of %d), the control's is %s (%s)", f.Metric, percent(f.Canary), f.Samples.CanaryBad, f.Samples.Canary,
			percent(f.Stable), f.Rule)
	}
	return string(d.Reason)
}

func percent(rate float64) string { return strconv.FormatFloat(rate*100, 'f', 2, 64) + " %" }
