package gate

// freezes reports whether a freeze pauses a rollout in this phase: whatever could bring anybody to the canary.
func freezes(p Phase) bool {
	switch p {
	case Waiting, Progressing, AwaitingApproval, Holding:
		return true
	case Paused, Completed, RolledBack:
	}
	return false
}

// freeze pauses a rollout that came up while everything is paused: a new one, a new revision, a retry.
func (t *turn) freeze(f *Freeze) (State, Decision) {
	if t.outdated() { // it cannot start anyway, and says why
		return t.end(ActHold, t.was.Reason)
	}
	t.d.Actor, t.d.Note = f.Actor, f.Reason
	t.s.Resume, t.s.Phase, t.s.PausedBy, t.s.Frozen = t.s.Phase, Paused, f.Actor, true
	return t.end(ActPause, PausedCode)
}

// goesOn reports whether a verb could bring somebody to the canary, at once or at the next tick.
func goesOn(v Verb) bool {
	switch v {
	case VerbStart, VerbResume, VerbPromote, VerbApprove:
		return true
	case VerbPause, VerbStepBack, VerbRollback, VerbRetry: // a retry waits like everything else
	}
	return false
}
