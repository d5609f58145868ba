package gate

import (
	"fmt"
	"time"
)

// Step is the whole brain: what was, what is asked, what is seen, what is done. It is pure and total: it has an answer
// for every event in every phase, changes none of its arguments, and gives the same answer to the same question.
//
//	from \ because      pass, dwell,    confirmed      fail,          hold_timeout     a person
//	                    healthy, open   finding        dead pool
//	waiting             start           -              -              -                start, pause, promote, rollback
//	progressing         advance, await  -> holding     rollback       -                pause, promote, step-back, rollback
//	  .. its last stage complete        -> holding     rollback       -                "
//	awaiting_approval   -               -> holding     rollback       (its own) *      approve, and as progressing
//	holding             -> progressing  stays          rollback       rollback,        resume, approve, and as progressing
//	                                                                  step_back, ask
//	paused              -               (shown)        rollback       -                resume, step-back, rollback
//	completed           -               -              -              -                rollback, while the old pool is kept
//	rolled_back         -               -              -              -                retry
//
// * an approval's time out: hold -> holding, rollback, or advance as soon as everything else allows it.
// Holding ends by itself in three ways only: a confirmed finding that was gone for five minutes (once a step, on fresh
// evidence), evidence that arrived after all, keys that are no longer skewed. With on_fail = "freeze" a fail goes to
// holding. A new revision, from every phase: waiting at weight 0, a new attempt. Removed from the file: weight 0.
//
// The priority is in the order of the code: rollback by a person, pause, gates, schedule. The canary's weight rises in
// these decisions only: start, advance, complete (on pass alone), widen (sparse = "widen"), promote (a person). Whoever
// acts on a decision journals first when To > From and acts first when Protective.
//
// Time counts between ticks, by the monotonic differences of now, each capped at longestTick: a suspended machine has
// not dwelled. A restored state (Last is zero) counts nothing and crosses to no further stage at its first tick.
func Step(s State, p *Policy, now time.Time, ev Event) (State, Decision) {
	t := &turn{was: s, s: s, p: p, now: now}
	switch ev := ev.(type) {
	case Tick:
		return t.tick(&ev.Seen)
	case *Tick:
		return t.tick(&ev.Seen)
	case Operator:
		return t.operate(&ev)
	case Replan:
		return t.replan(ev.Withdrawn)
	}
	panic(fmt.Sprintf("BUG: no such event: %T", ev))
}

const (
	// longestTick is the most that one tick can count: three checks of the slowest supported rhythm, 5 s.
	longestTick = 15 * time.Second
	// clearFor is how long a confirmed finding must be gone before it releases a hold (gate.md, section 6).
	clearFor = 5 * time.Minute
	// fresh is how long a widening is named as a possible cause of what stable suffers (gate.md, section 6).
	fresh = time.Minute
)

// Who decides, where it is no person.
const (
	ActorGate  = "gate"  // evidence and schedule
	ActorSerin = "serin" // restarts, reloads
)

// turn is one call of Step: the state before, the state after as far as it is worked out, and the decision so far.
type turn struct {
	was, s State
	p      *Policy
	now    time.Time
	load   float64 // requests per second of both arms
	d      Decision
}

// end closes the turn with what was done and why. Repeats of a hold are no news.
func (t *turn) end(a Action, r Reason) (State, Decision) {
	t.gather(a)
	t.s.Reason = r
	t.s.Last = t.now
	t.s.Frozen = t.s.Frozen && t.s.Phase == Paused
	if t.s.Phase != RolledBack {
		t.s.Ebb = Ebb{}
	}
	t.describe(a, r)
	t.d.News = a != ActHold || t.says(r)
	if t.d.News {
		t.s.Version++
	}
	return t.s, t.d
}

// says reports whether a hold tells a person something new: another phase or cause, or a reason of another kind. The
// reasons of merely waiting for evidence come and go by the second and are one kind.
func (t *turn) says(r Reason) bool {
	if t.s.Phase != t.was.Phase || t.s.Cause != t.was.Cause || t.s.Asked != t.was.Asked || t.s.Stage != t.was.Stage {
		return true
	}
	return r != t.was.Reason && !(quiet(r) && (quiet(t.was.Reason) || moved(t.was.Reason)))
}

// quiet reasons are merely waiting for evidence.
func quiet(r Reason) bool {
	switch r {
	case "", Collecting, NotEnoughEvidence, EstimateAboveHold, Warmup, SaturatedUsers:
		return true
	}
	return false
}

// moved reasons were told with a decision; that evidence is collected after it goes without saying.
func moved(r Reason) bool {
	switch r {
	case Passed, Started, Manual, NewRevision, PolicyChanged, Sparse, HoldTimedOut, ApprovalTimedOut, RestartReplayed:
		return true
	}
	return false
}

// same answers a wish that is already fulfilled: nothing changes, and it is no news.
func (t *turn) same(a Action) (State, Decision) {
	t.s = t.was
	t.describe(a, t.was.Reason)
	return t.s, t.d
}

// refuse changes nothing and says why.
func (t *turn) refuse(why Refusal) (State, Decision) {
	t.s = t.was
	t.describe(ActRefuse, t.was.Reason)
	t.d.Refusal = why
	return t.s, t.d
}

func (t *turn) describe(a Action, r Reason) {
	t.d.Action, t.d.Reason = a, r
	t.d.From, t.d.To = t.was.Weight, t.s.Weight
	t.d.Phase, t.d.Stage, t.d.Stages, t.d.Cause = t.s.Phase, t.s.Stage, len(t.p.Stages), t.s.Cause
	t.d.Raised = t.s.Raised && t.s.Age < fresh
	t.d.Frozen = t.s.Cause == CauseFailed
	if t.p.Capacity > 0 {
		t.d.Load = t.load
	}
	if t.d.Actor == "" {
		t.d.Actor = ActorGate
	}
}

// rehearse is end for a dry run: the decision is reported, the weight and the phase stay what they were.
func (t *turn) rehearse(a Action, r Reason, aged State) (State, Decision) {
	would, stage, now := t.s.Weight, t.s.Stage, t.s
	t.s = aged
	t.s.Failing, t.s.Above, t.s.Baseline, t.s.Version = now.Failing, now.Above, now.Baseline, t.was.Version
	t.s.Would = fmt.Sprintf("%s %d %s", a, stage, r)
	t.s.Reason, t.s.Last = r, t.now
	t.describe(a, r)
	t.d.DryRun, t.d.Would = true, would
	t.d.News = t.s.Would != t.was.Would
	if t.d.News {
		t.s.Version++
	}
	return t.s, t.d
}
