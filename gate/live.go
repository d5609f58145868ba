package gate

import (
	"slices"
	"time"

	"serin/router"
)

// live is a tick of a rollout with users on its canary (or a ring, a mirror, a preview).
func (t *turn) live(seen *Seen) {
	s := &t.s
	j := t.judge(seen)
	t.keepBaseline(seen)
	switch {
	case j.verdict == Fail:
		t.fail(j)
	case s.Phase == Paused:
		t.end(ActHold, PausedCode)
	case j.confirmed && s.Cause != CauseFinding && s.Cause != CauseFailed:
		t.detain(CauseFinding, j.reason)
	case s.Phase == Holding:
		t.holding(j, seen)
	case !s.SkewAccepted && skewed(s, t.p, seen):
		t.detain(CauseSkewed, SkewedKeys)
	case s.Phase == AwaitingApproval:
		stage, _, _ := t.p.crossing(s)
		t.awaitAnswer(stage)
	default:
		t.progress(j, seen)
	}
}

// fail reverts, or freezes a version that must not be reverted.
func (t *turn) fail(j judgement) {
	if t.p.OnFail != "freeze" {
		t.rollback(j.reason)
		return
	}
	if t.s.Cause == CauseFailed {
		t.end(ActHold, t.held(j))
		return
	}
	t.s.Cause, t.s.Held = CauseFailed, 0
	if t.s.Phase == Paused {
		t.s.Resume = Holding
	} else {
		t.s.Phase = Holding
	}
	t.s.Asked = true
	t.end(ActFreeze, j.reason)
}

// held is the reason a frozen rollout shows: a paused one is paused first of all.
func (t *turn) held(j judgement) Reason {
	if t.s.Phase == Paused {
		return PausedCode
	}
	return j.reason
}

// detain goes to Holding: the clock stops, the evidence goes on.
func (t *turn) detain(why Cause, r Reason) {
	s := &t.s
	s.Phase, s.Cause = Holding, why
	s.Held, s.Clear, s.Asked = 0, 0, why != CauseFinding
	t.end(ActHold, r)
}

// holding is a tick in Holding.
func (t *turn) holding(j judgement, seen *Seen) {
	s := &t.s
	switch s.Cause {
	case CauseFinding:
		t.holdFinding(j, seen)
	case CauseFailed:
		t.end(ActHold, WorseThanStable)
	case CauseSkewed:
		if skewed(s, t.p, seen) {
			t.end(ActHold, SkewedKeys)
			return
		}
		t.release(Passed)
	case CauseApproval:
		stage, _, _ := t.p.crossing(s)
		t.missAnswer(stage)
	case CauseSparse:
		if j.verdict == Pass && !s.Cleared { // looser gates release no hold
			t.release(Passed)
			return
		}
		t.end(ActHold, j.reason)
	default: // a state from elsewhere that lost its cause: treat it as a finding, which asks for most
		s.Cause = CauseFinding
		t.holdFinding(j, seen)
	}
}

// release goes back to work with the evidence as it is.
func (t *turn) release(why Reason) {
	t.s.Phase, t.s.Cause, t.s.Asked = t.atWork(), "", false
	t.s.Waited = 0
	t.end(ActResume, why)
}

// holdFinding waits for a confirmed finding to go, or for its time to run out.
func (t *turn) holdFinding(j judgement, seen *Seen) {
	s := &t.s
	if j.clear && !j.confirmed && len(t.d.Findings) > 0 {
		s.Clear += s.Age - t.was.Age
	} else {
		s.Clear = 0
	}
	if s.Clear >= clearFor && !s.Cleared {
		s.again()
		s.Cleared = true
		t.release(Collecting)
		return
	}
	if t.p.HoldTimeout > 0 && s.Held >= t.p.HoldTimeout && !s.Asked {
		t.timeOut()
		return
	}
	t.end(ActHold, t.finding(j))
}

// finding is the reason of a hold for a finding: what is seen now where that is confirmed, else what it was found for, and
// not what has happened to it since (a pause, a reload, a sick stable).
func (t *turn) finding(j judgement) Reason {
	switch {
	case j.confirmed, j.reason == OneBucketDominates:
		return j.reason
	case t.was.Reason == EstimateAboveHold: // of the plain judge
		return EstimateAboveHold
	}
	return WorseThanStable
}

// timeOut is the end of a confirmed hold. Against a frozen baseline, and for a version that must not be reverted, only a
// person decides.
func (t *turn) timeOut() {
	s := &t.s
	switch {
	case t.p.OnFail == "freeze" || s.Weight == router.Full || t.p.OnHoldTimeout == "ask":
	case t.p.OnHoldTimeout == "step_back":
		if s.Stage > 1 && !s.hasSteppedBack() {
			s.SteppedBack = append(append([]int(nil), s.SteppedBack...), s.Stage)
			t.stepBack(HoldTimedOut)
			return
		}
	default:
		t.rollback(HoldTimedOut)
		return
	}
	s.Asked = true
	t.end(ActHold, t.was.Reason)
}

// hasSteppedBack reports whether hold_timeout has left this stage downwards before: the second time it asks.
func (s *State) hasSteppedBack() bool { return slices.Contains(s.SteppedBack, s.Stage) }

// progress is a tick in Progressing: everything must agree before anything widens.
func (t *turn) progress(j judgement, seen *Seen) {
	s, p := &t.s, t.p
	stage, weight, _ := p.crossing(s)
	raise := weight > s.Weight || t.opens(stage)
	switch {
	case j.verdict != Pass:
		t.wait(j, seen, stage, weight)
	case raise && !seen.WindowOpen:
		t.hold(WindowClosed)
	case s.Approved != stage && t.asks(stage):
		t.ask()
	case raise && t.overloads(weight, seen.Load):
		t.hold(CapacityReached)
	case raise && !seen.JournalAvailable:
		t.hold(JournalUnavailable)
	case stage > len(p.Stages):
		t.arrive()
		t.end(ActComplete, Passed)
	default:
		same := stage == s.Stage
		s.enter(stage, weight, t.now)
		if !same {
			s.Approved = 0
		}
		t.end(ActAdvance, Passed)
	}
}

// hold stays for a reason outside the evidence.
func (t *turn) hold(r Reason) {
	t.d.Verdict = Hold
	t.d.Reasons = append([]Reason{r}, t.d.Reasons...)
	t.end(ActHold, r)
}

// arrive ends the ladder: everybody is on the canary, exactly.
func (t *turn) arrive() {
	s := &t.s
	s.close("passed", t.now)
	s.Phase, s.Cause = Completed, ""
	s.Weight, s.Live, s.Kept = router.Full, s.Revision, 0
	s.Reverted = forget(s.Reverted, s.Revision)
	s.Raised = false
	s.collect()
}

// wait stays for want of a pass; where the evidence cannot come in time, the sparse policy decides.
func (t *turn) wait(j judgement, seen *Seen, stage int, weight router.Weight) {
	s, p := &t.s, t.p
	limit := p.MaxStage * (1 + time.Duration(s.Extended))
	spent := p.MaxStage > 0 && s.Clock >= limit
	scarce := j.lacking && s.Clock >= p.stage(s.Stage).Least &&
		(spent || p.MaxStage > 0 && (j.expected < 0 || s.Clock+j.expected > limit))
	switch {
	case scarce && p.Sparse == "widen" && t.widen(seen, stage, weight):
	case spent && seen.CanaryHealthy, scarce && p.Sparse == "ask":
		t.detain(CauseSparse, j.reason)
	default:
		t.end(ActHold, j.reason)
	}
}

// widen sends more users within the stage, once, to at most widen_max and the next stage, and never past an approval. A stage
// without a share has no gates that judge one.
func (t *turn) widen(seen *Seen, stage int, weight router.Weight) bool {
	s, p := &t.s, t.p
	if p.WidenMax > 0 {
		weight = min(weight, p.WidenMax)
	}
	ready := seen.CanaryHealthy && seen.StableHealthy && seen.WindowOpen && seen.JournalAvailable && !t.was.Last.IsZero()
	if !ready || t.overloads(weight, seen.Load) || s.Widened || weight <= s.Weight || stage > len(p.Stages) || !p.free(stage) || p.weightOf(s.Stage) == 0 {
		return false
	}
	s.Weight, s.Widened = weight, true
	s.Clock = 0
	s.collect()
	s.Raised = true
	t.end(ActWiden, Sparse)
	return true
}
