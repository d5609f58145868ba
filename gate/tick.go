package gate

import "time"

// tick is the regular look: time passes, then the phase answers.
func (t *turn) tick(seen *Seen) (State, Decision) {
	t.load = seen.Load
	t.age(seen)
	if t.s.Withdrawn {
		return t.end(ActHold, Removed)
	}
	t.fit()
	if state, d, done := t.adopt(); done {
		return state, d
	}
	aged := t.s
	switch {
	case t.s.Phase == RolledBack:
		t.ebb(seen)
		return t.end(ActHold, t.was.Reason)
	case t.s.Phase == Completed:
		return t.end(ActHold, t.was.Reason)
	case seen.Freeze != nil && freezes(t.s.Phase):
		return t.freeze(seen.Freeze)
	case t.s.Stage == 0:
		t.begin(seen)
	default:
		t.live(seen)
	}
	if t.p.DryRun && moves(t.d.Action) && t.was.Stage > 0 {
		return t.rehearse(t.d.Action, t.d.Reason, aged)
	}
	return t.s, t.d
}

// moves reports whether an action changes what users get, by weight or by audience and mirror.
func moves(a Action) bool {
	switch a {
	case ActStart, ActAdvance, ActComplete, ActRollback, ActStepBack, ActWiden:
		return true
	}
	return false
}

// age lets the time since the last event count for the clocks of the phase.
func (t *turn) age(seen *Seen) {
	s := &t.s
	if t.was.Last.IsZero() {
		return
	}
	dt := min(max(t.now.Sub(t.was.Last), 0), longestTick)
	s.Age += dt
	switch s.Phase {
	case Progressing:
		if seen.CanaryHealthy {
			s.Clock += dt
		}
	case AwaitingApproval:
		s.Waited += dt
	case Holding:
		s.Held += dt
	case Completed:
		s.Kept += dt
	case Waiting, Paused, RolledBack:
	}
}

// begin is a tick before the first stage: nothing reaches the canary yet.
func (t *turn) begin(seen *Seen) {
	s := &t.s
	first := max(s.From, 1)
	switch {
	case s.Phase == Paused:
		t.end(ActHold, PausedCode)
	case s.Phase == AwaitingApproval:
		t.awaitAnswer(first)
	case s.Phase == Holding:
		t.missAnswer(first)
	case len(t.p.Stages) == 0, t.p.ManualStart && !s.Begun:
		t.end(ActHold, Manual)
	case !seen.CanaryHealthy:
		t.end(ActHold, CanaryPoolUnhealthy)
	case t.p.DrillAge > 0 && !seen.Drilled:
		t.end(ActHold, DrillRequired)
	case !seen.WindowOpen:
		t.end(ActHold, WindowClosed)
	case !t.p.free(first) && s.Approved != first:
		t.ask()
	case t.overloads(t.p.weightOf(first), seen.Load):
		t.end(ActHold, CapacityReached)
	case !seen.JournalAvailable:
		t.end(ActHold, JournalUnavailable)
	case t.p.DryRun:
		s.enter(first, 0, t.now) // on watch: only a person brings it users
		s.From = 0
		t.note()
		t.end(ActStart, Started)
	default:
		s.enter(first, t.p.weightOf(first), t.now)
		s.From = 0
		t.note()
		t.end(ActStart, Started)
	}
}

// ask waits for a person's approval of the next stage.
func (t *turn) ask() {
	t.s.Phase, t.s.Cause = AwaitingApproval, ""
	t.s.Waited = 0
	t.end(ActAwait, AwaitingApprovalCode)
}

// awaitAnswer is a tick of waiting for the approval of a stage.
func (t *turn) awaitAnswer(stage int) {
	s := &t.s
	a := t.p.stage(stage).Approve
	if !t.asks(stage) { // a reload asks nobody any more
		t.release(PolicyChanged)
		return
	}
	if a == nil || a.Timeout <= 0 || s.Waited < a.Timeout {
		t.end(ActHold, AwaitingApprovalCode)
		return
	}
	switch a.OnTimeout {
	case "advance":
		s.Approved = stage
		s.Phase, s.Waited = t.atWork(), 0
		t.end(ActApprove, ApprovalTimedOut)
	case "rollback":
		t.rollback(ApprovalTimedOut)
	default:
		s.Phase, s.Cause, s.Held = Holding, CauseApproval, 0
		t.end(ActHold, AwaitingApprovalCode)
	}
}

// missAnswer is a tick of a hold for an approval that did not come in time.
func (t *turn) missAnswer(stage int) {
	if !t.asks(stage) {
		t.release(PolicyChanged)
		return
	}
	t.end(ActHold, AwaitingApprovalCode)
}

// asks reports whether a person must let the stage begin: its own approval, or the end of a preview.
func (t *turn) asks(stage int) bool {
	return stage <= len(t.p.Stages) && !t.p.free(stage) || t.p.stage(t.s.Stage).Preview
}

// atWork is the phase of a rollout that nothing detains.
func (t *turn) atWork() Phase {
	if t.s.Stage == 0 {
		return Waiting
	}
	return Progressing
}

// rollback takes everybody off the canary and ends the attempt.
func (t *turn) rollback(why Reason) {
	s := &t.s
	if s.Revision != "" {
		s.Reverted = remember(s.Reverted, s.Revision)
	}
	if s.Live == s.Revision {
		s.Live = ""
	}
	from := s.Weight
	s.leave("failed", t.now)
	s.Phase = RolledBack
	if t.p.StableCapacity > 0 && from > 0 && t.load > t.p.StableCapacity {
		t.d.Overload = t.load
	}
	if t.p.RevertOver > 0 && from > 0 && why != CanaryPoolUnhealthy {
		s.Ebb = Ebb{Weight: from, From: from}
		t.d.Over = t.p.RevertOver
	}
	t.end(ActRollback, why)
}

// stepBack goes one stage down and collects anew; never to more users than now.
func (t *turn) stepBack(why Reason) {
	s := &t.s
	weight := min(t.p.weightOf(s.Stage-1), s.Weight)
	phase, resume := s.Phase, s.Resume
	s.enter(s.Stage-1, weight, t.now)
	s.Approved = 0
	if phase == Paused {
		s.Phase, s.Resume = Paused, resume
		if resume != Progressing {
			s.Resume = Progressing
		}
	}
	t.end(ActStepBack, why)
}

// remember adds a revision to a short list of the newest, without changing the old list.
func remember(list []string, revision string) []string {
	kept := make([]string, 0, len(list)+1)
	for _, r := range list {
		if r != revision {
			kept = append(kept, r)
		}
	}
	if len(kept) >= maxReverted {
		kept = kept[1:]
	}
	return append(kept, revision)
}

// maxReverted bounds the memory of rolled-back revisions.
const maxReverted = 100

// until is the time left of a limit; 0 when it has passed.
func until(limit, spent time.Duration) time.Duration { return max(limit-spent, 0) }
