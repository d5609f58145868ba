package control

import (
	"context"
	"time"

	"serin/gate"
	"serin/gate/journal"
)

// operation is a person's act in the mailbox.
type operation struct {
	rollout string
	op      gate.Operator
	answer  chan<- answer // room for one
}

type answer struct {
	decision gate.Decision
	entry    journal.Entry
	err      error
}

// Operate hands a person's (or agent's) act to the loop and waits for its decision: one that lets the canary rise until it is
// on disk, any other until it is done, and for the disk at most about a tick more. A refused act is no error: the decision's
// Refusal says why, and nothing has changed. The entry is the journalled decision; for a wish that was already fulfilled or
// refused it is the rollout's last one, or empty. Errors are ErrUnknownRollout, ErrJournalUnavailable, ErrOvertaken,
// ErrStopped and ctx's; after the last the act may still be done.
func (l *Loop) Operate(ctx context.Context, rollout string, op gate.Operator) (gate.Decision, journal.Entry, error) {
	done := make(chan answer, 1)
	a, err := ask(ctx, l, &operation{rollout: rollout, op: op, answer: done}, done)
	if err != nil {
		return gate.Decision{}, journal.Entry{}, err
	}
	return a.decision, a.entry, a.err
}

// ask puts a message into the mailbox and waits for what the loop answers on done. Errors are ErrStopped and ctx's; after
// those the message may still be answered.
func ask[T any](ctx context.Context, l *Loop, message any, done <-chan T) (answer T, err error) {
	select {
	case l.mail <- message:
	case <-ctx.Done():
		return answer, ctx.Err()
	case <-l.stopped:
		return answer, ErrStopped
	}
	select {
	case answer = <-done:
		return answer, nil
	case <-ctx.Done():
		return answer, ctx.Err()
	case <-l.stopped:
		return answer, ErrStopped
	}
}

// operate is the loop's side of Operate.
func (l *Loop) operate(o *operation) {
	r := l.find(o.rollout)
	if r == nil {
		l.operateTrial(o)
		return
	}
	now := time.Now()
	r.stir(now)
	l.look(r, now) // what the step has cost must be known before its meters go
	if r.state.Phase == gate.RolledBack {
		l.drillTick(r, now) // it is over, and a retry must not take it along
	}
	o.op.Load, o.op.Frozen = r.load(now), l.freeze != nil
	next, d := gate.Step(r.state, r.policy, now, o.op)
	if d.Action == gate.ActRefuse {
		a := answer{decision: d}
		if r.last != nil {
			a.entry = *r.last
		}
		o.answer <- a
		return
	}
	if r.pending != nil && (!d.News || l.forward(r, next, d)) {
		r.pending.waiting = append(r.pending.waiting, o)
		return
	}
	l.settle(r, next, d, now, func(e *journal.Entry, err error) {
		a := answer{decision: d, err: err}
		if e != nil {
			a.entry = *e
		}
		o.answer <- a
	})
	l.publish(now)
}
