package gate

import "serin/router"

// operate is a person's act, or an agent's. What is already so is answered without news; what does not apply is refused
// and changes nothing. Promote is the only verb that raises the weight; start, approve and retry only let the next tick
// do it, when the pool is healthy, the window open and the journal writable.
func (t *turn) operate(op *Operator) (State, Decision) {
	t.load = op.Load
	t.d.Actor, t.d.Note, t.d.Verb = op.Actor, op.Reason, op.Verb.String()
	if t.d.Actor == "" {
		t.d.Actor = "somebody"
	}
	if op.IfVersion != nil && *op.IfVersion != t.was.Version {
		return t.refuse(RefusedVersion)
	}
	if t.s.Withdrawn || t.s.Attempt == 0 {
		return t.refuse(RefusedPhase)
	}
	if op.Frozen && !op.All && goesOn(op.Verb) {
		return t.refuse(RefusedFreeze)
	}
	switch op.Verb {
	case VerbStart:
		return t.doStart(op)
	case VerbPause:
		return t.doPause(op)
	case VerbResume:
		return t.doResume(op)
	case VerbPromote:
		return t.doPromote(op)
	case VerbStepBack:
		return t.doStepBack()
	case VerbRollback:
		return t.doRollback()
	case VerbApprove:
		return t.doApprove(op)
	case VerbRetry:
		return t.doRetry(op)
	}
	return t.refuse(RefusedInput)
}

// outdated reports whether the file's stable would throw everybody back: only a mended file, or a rollback, helps.
func (t *turn) outdated() bool { return t.s.Phase == Waiting && t.s.Reason == StableOutdated }

func (t *turn) doStart(op *Operator) (State, Decision) {
	switch {
	case t.outdated():
		return t.refuse(RefusedPhase)
	case t.s.Phase == Progressing, t.s.Phase == Waiting && t.s.Begun:
		return t.same(ActStart)
	case t.s.Phase != Waiting:
		return t.refuse(RefusedPhase)
	case op.Rights.exceeds(t.p.weightOf(max(t.s.From, 1))):
		return t.refuse(RefusedCeiling)
	}
	t.s.Begun = true
	return t.end(ActStart, Manual)
}

// doPause stops the clock. A pause of somebody else's is taken over: from then on it is the new actor's to end.
func (t *turn) doPause(op *Operator) (State, Decision) {
	s := &t.s
	switch s.Phase {
	case Paused:
		if op.All || !s.Frozen && (s.PausedBy == "" || s.PausedBy == op.Actor) {
			return t.same(ActPause)
		}
		s.Frozen = false // a pause of its own outlives a freeze
		t.d.TakenFrom, s.PausedBy = s.PausedBy, op.Actor
		return t.end(ActPause, PausedCode)
	case Waiting, Progressing, AwaitingApproval, Holding:
		if t.outdated() {
			return t.refuse(RefusedPhase)
		}
		s.Resume, s.Phase, s.PausedBy, s.Frozen = s.Phase, Paused, op.Actor, op.All
		return t.end(ActPause, PausedCode)
	case Completed, RolledBack:
	}
	return t.refuse(RefusedPhase)
}

// doResume ends a pause, or overrides a hold: a finding's evidence starts anew at twice the odds, a sparse stage gets
// another max_stage, skewed keys are accepted for this stage.
func (t *turn) doResume(op *Operator) (State, Decision) {
	s := &t.s
	if op.All && !s.Frozen {
		return t.refuse(RefusedPhase)
	}
	switch s.Phase {
	case Progressing:
		return t.same(ActResume)
	case Paused:
		if s.PausedBy != op.Actor {
			t.d.TakenFrom = s.PausedBy
		}
		s.Phase, s.Resume, s.PausedBy, s.Frozen = s.Resume, Waiting, "", false
		return t.end(ActResume, Manual)
	case Holding:
		t.overrule()
		return t.end(ActResume, Manual)
	case Waiting, AwaitingApproval, Completed, RolledBack:
	}
	return t.refuse(RefusedPhase)
}

func (t *turn) overrule() {
	s := &t.s
	cause := s.Cause
	s.Phase, s.Cause, s.Asked = Progressing, "", false
	t.d.Override = true
	switch cause {
	case CauseSparse:
		s.Extended++
	case CauseSkewed:
		s.SkewAccepted = true
	case CauseApproval:
		s.Phase, s.Waited = AwaitingApproval, 0
		t.d.Override = false
	default:
		s.again()
	}
}

func (t *turn) doPromote(op *Operator) (State, Decision) {
	s, p := &t.s, t.p
	if t.outdated() || len(p.Stages) == 0 {
		return t.refuse(RefusedPhase)
	}
	switch s.Phase {
	case Waiting, Progressing, AwaitingApproval, Holding:
	case Paused, Completed, RolledBack:
		return t.refuse(RefusedPhase)
	}
	stage, weight, _ := p.crossing(s)
	if s.Stage == 0 {
		stage = max(s.From, 1)
		weight = p.weightOf(stage)
	}
	if op.Full {
		stage, weight = len(p.Stages)+1, router.Full
	}
	if why := t.enter(op, s.Stage+1, stage, weight); why != "" {
		return t.refuse(why)
	}
	if s.Phase == Holding && op.Reason == "" {
		return t.refuse(RefusedReason)
	}
	t.d.Override = true
	if t.overloads(weight, op.Load) {
		t.d.Overload = op.Load
		return t.refuse(RefusedLoad)
	}
	if stage > len(p.Stages) {
		s.Stage = len(p.Stages)
		t.arrive()
		return t.end(ActPromote, Manual)
	}
	if s.Stage == 0 {
		t.note()
	}
	s.enter(stage, weight, t.now)
	s.From, s.Approved = 0, 0
	return t.end(ActPromote, Manual)
}

func (t *turn) doStepBack() (State, Decision) {
	switch t.s.Phase {
	case Progressing, AwaitingApproval, Holding, Paused:
		if t.s.Stage > 1 {
			return t.finish(func() { t.stepBack(Manual) })
		}
	case Waiting, Completed, RolledBack:
	}
	return t.refuse(RefusedPhase)
}

func (t *turn) doRollback() (State, Decision) {
	switch {
	case t.s.Phase == RolledBack && t.s.Ebb.Weight > 0:
		return t.cutShort()
	case t.s.Phase == RolledBack:
		return t.same(ActRollback)
	case (t.s.Phase == Completed || t.outdated() && t.s.Weight > 0) && t.s.Kept >= t.p.KeepOld:
		return t.refuse(RefusedPhase)
	}
	return t.finish(func() { t.rollback(Manual) })
}

func (t *turn) finish(f func()) (State, Decision) {
	f()
	return t.s, t.d
}

func (t *turn) doApprove(op *Operator) (State, Decision) {
	s, p := &t.s, t.p
	stage, weight, _ := p.crossing(s)
	if s.Stage == 0 {
		stage = max(s.From, 1)
		weight = p.weightOf(stage)
	}
	waiting := s.Phase == AwaitingApproval || s.Phase == Holding && s.Cause == CauseApproval
	switch {
	case !waiting && s.Approved == stage && (s.Phase == Progressing || s.Phase == Waiting):
		return t.same(ActApprove)
	case !waiting:
		return t.refuse(RefusedPhase)
	}
	if why := t.enter(op, stage, stage, weight); why != "" {
		return t.refuse(why)
	}
	s.Approved = stage
	s.Phase, s.Cause, s.Asked, s.Waited = t.atWork(), "", false, 0
	return t.end(ActApprove, Manual)
}

func (t *turn) doRetry(op *Operator) (State, Decision) {
	s, p := &t.s, t.p
	switch {
	case s.Phase != RolledBack:
		return t.refuse(RefusedPhase)
	case op.FromStage < 0 || op.FromStage > len(p.Stages):
		return t.refuse(RefusedInput)
	}
	if why := t.enter(op, 2, op.FromStage, p.weightOf(max(op.FromStage, 1))); why != "" {
		return t.refuse(why)
	}
	s.Reverted = forget(s.Reverted, p.Revision)
	s.collect()
	baseline := s.Baseline
	t.restart()
	s.Baseline = baseline // a retry may begin where stable keeps nobody: its last table is still the best there is
	s.Begun, s.From = true, op.FromStage
	t.d.Override = t.d.Override || op.FromStage > 1
	return t.end(ActRetry, Manual)
}
