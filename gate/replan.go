package gate

import (
	"slices"

	"serin/router"
)

// replan is a reload, or the first sight of a rollout. It moves no weight and restarts no stage, but for a new revision
// and for a rollout that the file has no more.
func (t *turn) replan(withdrawn bool) (State, Decision) {
	t.d.Actor = ActorSerin
	if withdrawn {
		return t.withdraw()
	}
	if state, d, done := t.adopt(); done {
		return state, d
	}
	return t.rebase()
}

// withdraw is the operator's act by way of the file: everybody off the canary.
func (t *turn) withdraw() (State, Decision) {
	s := &t.s
	if s.Withdrawn {
		return t.same(ActWithdrawn)
	}
	s.leave("left", t.now)
	s.Phase, s.Stage, s.Withdrawn, s.Live = Waiting, 0, true, ""
	s.Drill = nil
	return t.end(ActWithdrawn, Removed)
}

// adopt takes up the policy's revision where it is another than the state's; done is false where there was nothing to do.
func (t *turn) adopt() (State, Decision, bool) {
	s, p := &t.s, t.p
	if s.Revision == p.Revision && !s.Withdrawn && s.Attempt > 0 {
		if !t.outdated() {
			return t.s, t.d, false
		}
		if s.Live == s.Revision { // the file names the completed revision again: nothing has happened
			t.d.Actor = ActorSerin
			s.Phase = Completed
			state, d := t.end(ActReplan, PolicyChanged)
			return state, d, true
		}
	}
	t.d.Actor = ActorSerin
	state, d := t.take()
	return state, d, true
}

// take begins a new attempt for the policy's revision, unless that would throw everybody back or the revision was
// rolled back before.
func (t *turn) take() (State, Decision) {
	s, p := &t.s, t.p
	switch {
	case s.Live != "" && p.Revision == s.Live:
		s.leave("left", t.now)
		t.restart()
		s.Phase, s.Stage, s.Weight, s.Kept = Completed, len(p.Stages), router.Full, p.KeepOld
		return t.end(ActReplan, PolicyChanged)
	case s.Live != "" && p.StableRevision != "" && p.StableRevision != s.Live && p.StableAlias != s.Live:
		if s.Phase != Completed && !(s.Phase == Waiting && s.Reason == StableOutdated) {
			s.leave("left", t.now)
		}
		s.Phase, s.Cause = Waiting, ""
		if s.Weight == 0 {
			s.Stage = 0
		}
		return t.end(ActHold, StableOutdated)
	}
	first := s.Attempt == 0
	s.leave("left", t.now)
	t.restart()
	switch {
	case slices.Contains(s.Reverted, p.Revision):
		s.Phase = RolledBack
		return t.end(ActHold, WorseThanStable)
	case first:
		return t.end(ActReplan, NewRevision)
	}
	return t.end(ActRestart, NewRevision)
}

// restart is a new attempt before its first stage.
func (t *turn) restart() {
	s, p := &t.s, t.p
	if s.Phase != Paused { // a person's pause outlives the revision it was meant for
		s.Phase = Waiting
	}
	s.Stage, s.Resume = 0, Waiting
	s.Revision, s.Attempt = p.Revision, s.Attempt+1
	s.Withdrawn, s.History, s.SteppedBack, s.Baseline = false, nil, nil, nil
	t.note()
}

// note remembers the ladder and the gates that the state belongs to.
func (t *turn) note() { t.s.Ladder, t.s.Gates = t.p.ladderText(), t.p.gatesText() }

// rebase takes a changed ladder or changed gates up in flight: the weight stays, the stage becomes the first new rung at
// or above it; changed gates collect anew, and a hold stays a hold whatever they allow.
func (t *turn) rebase() (State, Decision) {
	s := &t.s
	if s.Phase == Completed || s.Phase == RolledBack { // over: what comes next has its own
		return t.same(ActHold)
	}
	t.note()
	moved := s.Ladder != t.was.Ladder
	judged := s.Gates != t.was.Gates && s.Stage > 0
	if !moved && !judged {
		return t.same(ActHold)
	}
	if moved {
		t.refit()
	}
	if judged {
		s.renew()
		s.Restarts++
		s.Cleared = s.Cleared || s.Cause != ""
	}
	state, d := t.end(ActReplan, PolicyChanged)
	if state.Phase == Holding { // it goes on being held for what it was held for
		state.Reason = t.was.Reason
	}
	return state, d
}

// refit finds the stage that belongs to the weight in another ladder.
func (t *turn) refit() {
	s, p := &t.s, t.p
	s.Approved, s.SteppedBack = 0, nil
	s.From = min(s.From, len(p.Stages))
	s.Rings = p.still(s.Rings)
	if s.Stage == 0 {
		return
	}
	was := ""
	if n := len(t.was.Rings); n > 0 && s.Weight == 0 {
		was = t.was.Rings[n-1]
	}
	stage := len(p.Stages)
	for i := 1; i <= len(p.Stages); i++ {
		if p.weightOf(i) >= s.Weight && p.covers(i, s.Rings) && (s.Weight > 0 || len(t.was.Rings) > 0 || i >= s.Stage) {
			stage = i
			break
		}
	}
	if stage != s.Stage {
		s.mark(stage, t.now)
		s.Stage = stage
	}
	if was != "" && p.stage(stage).Audience != was { // what its members did is no evidence of anybody else
		s.renew()
	}
	if s.Phase == AwaitingApproval {
		s.Phase, s.Waited = Progressing, 0
	}
}

// fit keeps the stage inside the ladder, should a state come with a ladder it was not told of.
func (t *turn) fit() {
	if t.s.Stage > len(t.p.Stages) {
		t.s.Stage = len(t.p.Stages)
	}
}

// forget takes a revision out of a list, without changing the old list.
func forget(list []string, revision string) []string {
	var kept []string
	for _, r := range list {
		if r != revision {
			kept = append(kept, r)
		}
	}
	return kept
}

// keepBaseline remembers stable's last table where the last stage will leave it no users (holdback 0).
func (t *turn) keepBaseline(seen *Seen) {
	if t.p.Holdback > 0 || t.s.Weight >= router.Full {
		return
	}
	if span := &seen.View.Full; span.OK && span.Stable.Judged() > 0 {
		t.s.Baseline = span.Stable.Clone()
	}
}
