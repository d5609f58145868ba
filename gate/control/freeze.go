package control

import (
	"context"
	"errors"
	"slices"
	"time"

	"serin/gate"
	"serin/gate/journal"
)

// freezing is a pause of everything, or its end, in the mailbox.
type freezing struct {
	freeze *gate.Freeze // nil: the end
	op     gate.Operator
	done   chan<- frozen // room for one
}

type frozen struct {
	entries []journal.Entry
	err     error
}

// ErrNotFrozen says that there is no freeze to end.
var ErrNotFrozen = errors.New("not everything is paused")

// Freeze pauses every rollout, those that come later included, until Thaw, restarts or not; drills end. It returns the decisions it
// caused, once the freeze is on disk or, on a disk that does not answer, after about a tick: what is paused is paused at once.
// The second freeze changes nothing.
func (l *Loop) Freeze(ctx context.Context, actor, reason string) ([]journal.Entry, error) {
	f := &gate.Freeze{Actor: actor, Reason: reason, Since: time.Now().Round(0).UTC()}
	return l.askAll(ctx, f, gate.Operator{Verb: gate.VerbPause, Actor: actor, Reason: reason, All: true})
}

// Thaw ends a freeze and resumes what it had paused; a pause of its own, or a hold, stays. A disk that takes nothing leaves
// rollouts paused, and Thaw can be asked for again. The error is ErrNotFrozen where there is nothing to end.
func (l *Loop) Thaw(ctx context.Context, actor, reason string) ([]journal.Entry, error) {
	return l.askAll(ctx, nil, gate.Operator{Verb: gate.VerbResume, Actor: actor, Reason: reason, All: true})
}

func (l *Loop) askAll(ctx context.Context, f *gate.Freeze, op gate.Operator) ([]journal.Entry, error) {
	done := make(chan frozen, 1)
	a, err := ask(ctx, l, &freezing{freeze: f, op: op, done: done}, done)
	if err != nil {
		return nil, err
	}
	return a.entries, a.err
}

// freezeAll is the loop's side of Freeze and Thaw.
func (l *Loop) freezeAll(m *freezing) {
	if m.freeze == nil && l.freeze == nil && !slices.ContainsFunc(l.rollouts, func(r *rollout) bool { return r.state.Frozen }) {
		m.done <- frozen{err: ErrNotFrozen}
		return
	}
	if m.freeze == nil || l.freeze == nil {
		l.freeze = m.freeze
	}
	now := time.Now()
	l.log.Warn("everything "+map[bool]string{true: "paused", false: "resumed"}[m.freeze != nil],
		"actor", m.op.Actor, "reason", m.op.Reason)
	all := &gathering{done: m.done}
	all.wait(1)
	for _, r := range l.rollouts {
		l.operateInFreeze(r, m.op, now, all)
		l.drillTick(r, now)
	}
	l.pen.saveDue = true
	l.pen.savers = append(l.pen.savers, saver{made: now, done: func() { all.add(nil, nil) }})
	l.dispatch()
	l.publish(now)
}

// operateInFreeze does the freeze's act on one rollout where it applies.
func (l *Loop) operateInFreeze(r *rollout, op gate.Operator, now time.Time, all *gathering) {
	r.stir(now)
	l.look(r, now)
	op.Load = r.load(now)
	next, d := gate.Step(r.state, r.policy, now, op)
	if !d.News {
		return
	}
	all.wait(1)
	l.settle(r, next, d, now, func(e *journal.Entry, err error) { all.add(e, err) })
}

// gathering waits for the answers of several acts. Owned by the loop's goroutine.
type gathering struct {
	open int
	out  frozen
	done chan<- frozen
}

func (g *gathering) wait(n int) { g.open += n }

func (g *gathering) add(e *journal.Entry, err error) {
	if e != nil && err == nil {
		g.out.entries = append(g.out.entries, *e)
	}
	g.out.err = errors.Join(g.out.err, err)
	if g.open--; g.open == 0 {
		g.done <- g.out
	}
}

// saver waits for a save of the state that begins after it was made.
type saver struct {
	made time.Time
	done func()
}

// saved answers those who waited for the state to be on disk.
func (p *pen) saved() {
	for _, s := range p.saving {
		s.done()
	}
	p.saving = nil
}

// unsaved lets them wait for the next save.
func (p *pen) unsaved() { p.savers, p.saving = append(p.saving, p.savers...), nil }

// late answers those whom the disk has kept waiting for a tick: what they asked for is done.
func (p *pen) late(now time.Time, tick time.Duration) {
	for _, savers := range []*[]saver{&p.savers, &p.saving} {
		*savers = slices.DeleteFunc(*savers, func(s saver) bool {
			if now.Sub(s.made) < tick {
				return false
			}
			s.done()
			return true
		})
	}
}
