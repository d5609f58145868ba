package control

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"serin/gate"
	"serin/gate/journal"
)

// pending is a decision that lets the canary rise, on its way to the disk.
type pending struct {
	next      gate.State
	decision  gate.Decision
	since     time.Time
	number    int          // of the decision before
	overtaken bool         // whatever the writer says, it is not done
	waiting   []*operation // people's acts that must see its outcome first
	trial     *trial       // whose start it is; nil: a rollout's
}

// settle does what a decision says, in the order that keeps a rollback from being lost (package doc). answer, if any, is
// called once, when the decision is durable, failed, or acted on and overdue.
func (l *Loop) settle(r *rollout, next gate.State, d gate.Decision, now time.Time, answer func(*journal.Entry, error)) {
	switch {
	case l.forward(r, next, d):
		l.propose(r, next, d, now, answer)
	case r.pending != nil && !d.News:
		reply(answer, nil, nil) // the state that counts is the pending one's
	default:
		l.act(r, next, d, now, answer)
	}
}

func reply(answer func(*journal.Entry, error), e *journal.Entry, err error) {
	if answer != nil {
		answer(e, err)
	}
}

// forward reports whether a decision must be durable before it is done: somebody new comes to the canary, or one more thing
// that stood between the canary and more users is gone.
func (l *Loop) forward(r *rollout, next gate.State, d gate.Decision) bool {
	if d.Protective() {
		return false
	}
	switch d.Action {
	case gate.ActStart, gate.ActAdvance, gate.ActComplete, gate.ActPromote, gate.ActWiden, gate.ActApprove, gate.ActResume, gate.ActRetry:
		return d.News
	case gate.ActHold, gate.ActRollback, gate.ActStepBack, gate.ActPause, gate.ActRestart, gate.ActReplan, gate.ActFreeze,
		gate.ActWithdrawn, gate.ActAwait, gate.ActRefuse, gate.ActDrill, gate.ActStopArm, gate.ActEnd:
	}
	return r.setting.widens(settingOf(next, r.policy, r.mask))
}

// propose sends a decision to the disk first. Where the disk is known not to take it, it is dropped at once.
func (l *Loop) propose(r *rollout, next gate.State, d gate.Decision, now time.Time, answer func(*journal.Entry, error)) {
	if r.pending != nil {
		reply(answer, nil, nil)
		return
	}
	if !l.available(now) {
		l.refrain(r, d)
		reply(answer, nil, ErrJournalUnavailable)
		return
	}
	p := &pending{next: next, decision: d, since: now, number: r.number}
	e := l.entry(r, next, d, now)
	r.pending = p
	l.pen.add(&note{entry: e, rollout: r, pending: p, made: now, answer: func(err error) { reply(answer, &e, err) }})
	l.dispatch()
}

// adopt makes a pending decision real: it is on disk.
func (l *Loop) adopt(n *note) {
	r, p := n.rollout, n.pending
	if p.trial != nil {
		l.begun(p, n)
		return
	}
	if p.overtaken {
		if n.answer != nil {
			answer := n.answer
			n.answer = nil
			answer(ErrOvertaken)
		}
		return
	}
	r.pending = nil
	r.stir(time.Now())
	l.look(r, time.Now())    // what the step has cost while the disk was waited for
	p.next.Last = time.Now() // the wait for the disk belongs to no stage
	seen := l.behold(r, &p.decision, time.Now())
	l.become(r, p.next)
	r.number = n.entry.Number
	r.decision, r.last = p.decision, &n.entry
	l.tell(&n.entry)
	l.count(&n.entry)
	l.tellPeople(r, seen, &n.entry, time.Now())
	l.release(p)
}

// drop forgets a pending decision that could not be written: the state before still holds.
func (l *Loop) drop(n *note) {
	r, p := n.rollout, n.pending
	if p.trial != nil {
		p.trial.pending = nil
		return
	}
	if p.overtaken {
		return
	}
	r.pending = nil
	r.stir(time.Now())
	if r.number == n.entry.Number {
		r.number = p.number
	}
	l.refrain(r, p.decision)
	l.release(p)
}

// release lets people's acts go on that waited for a pending decision.
func (l *Loop) release(p *pending) {
	for _, op := range p.waiting {
		l.operate(op)
	}
}

// refrain shows a decision that was not done as the hold it became.
func (l *Loop) refrain(r *rollout, d gate.Decision) {
	d.Action, d.To, d.Phase, d.Stage = gate.ActHold, d.From, r.state.Phase, r.state.Stage
	d.Verdict, d.Reason, d.Actor, d.Note, d.News = gate.Hold, gate.JournalUnavailable, gate.ActorGate, "", false
	d.Reasons = append([]gate.Reason{gate.JournalUnavailable}, d.Reasons...)
	r.decision = d
}

// act does a decision at once and writes it after. It overtakes a pending one.
func (l *Loop) act(r *rollout, next gate.State, d gate.Decision, now time.Time, answer func(*journal.Entry, error)) {
	if p := r.pending; p != nil {
		p.overtaken = true
		r.pending = nil
		next.Version = max(next.Version, p.next.Version+1)
		defer l.release(p)
	}
	ended := r.ended(next)
	seen := l.behold(r, &d, now)
	l.become(r, next)
	r.decision = d
	if !d.News {
		reply(answer, r.last, nil)
		return
	}
	e := l.entry(r, next, d, now)
	e.Attempt = ended
	r.last = &e
	l.tell(&e)
	l.count(&e)
	l.tellPeople(r, seen, &e, now)
	l.pen.add(&note{entry: e, rollout: r, made: now, answer: func(err error) { reply(answer, &e, err) }})
	l.dispatch()
}

// overtakes reports whether the gate's decision must not wait for a raise that is being written: it takes somebody off the
// canary, or has found a reason to hold.
func overtakes(d gate.Decision) bool {
	switch d.Action {
	case gate.ActRollback, gate.ActStepBack, gate.ActFreeze, gate.ActRestart, gate.ActWithdrawn:
		return true
	case gate.ActHold:
		return d.News && d.Phase == gate.Holding
	case gate.ActStart, gate.ActAdvance, gate.ActComplete, gate.ActPause, gate.ActResume, gate.ActPromote, gate.ActApprove,
		gate.ActRetry, gate.ActReplan, gate.ActAwait, gate.ActRefuse, gate.ActWiden, gate.ActDrill, gate.ActStopArm, gate.ActEnd:
	}
	return d.Protective()
}

// entry is the journal's record of a decision, numbered.
func (l *Loop) entry(r *rollout, next gate.State, d gate.Decision, now time.Time) journal.Entry {
	if next.Attempt != r.state.Attempt {
		r.number = 0
	}
	r.number++
	return journal.Entry{
		Attempt: r.ended(next),
		ID:      fmt.Sprintf("%s-%d-%d", r.name, next.Attempt, r.number), Number: r.number, Rollout: r.name, At: now.Round(0),
		Sentence: gate.Explain(next, r.policy, d), Decision: d, State: next,
	}
}

// tell logs a decision, once; what a person should look at as a warning.
func (l *Loop) tell(e *journal.Entry) {
	level, d := slog.LevelInfo, e.Decision
	found := d.Action == gate.ActHold && d.Phase == gate.Holding
	if d.Protective() && d.Action != gate.ActEnd || found || d.Action == gate.ActRollback || d.Action == gate.ActFreeze {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "decision", "rollout", e.Rollout, "id", e.ID, "action", d.Action.String(), "stage", d.Stage,
		"from", fraction(d.From), "to", fraction(d.To), "reason", string(d.Reason), "actor", d.Actor, "sentence", e.Sentence)
}
