package control

import (
	"context"
	"sync"
	"time"

	"serin/gate"
)

// Run drives the rollouts until ctx ends, then writes what is left and returns nil. It calls Start if nobody has. It leaves no
// goroutine behind; a job that the disk does not finish keeps it waiting.
func (l *Loop) Run(ctx context.Context) error {
	defer close(l.stopped)
	if err := l.Start(); err != nil {
		return err
	}
	var helpers sync.WaitGroup
	helpers.Go(l.write)
	helpers.Go(func() { l.watch(ctx) })
	if from, ok := l.journal.(Recaller); ok && !l.restored.Fresh {
		past := l.wanted()
		helpers.Go(func() { l.recall(ctx, from, past) })
	}
	l.serve(ctx)
	l.flush()
	close(l.pen.jobs)
	helpers.Wait()
	l.watchers.close()
	return nil
}

func (l *Loop) serve(ctx context.Context) {
	l.introduce()
	ticks := time.NewTicker(l.tick)
	defer ticks.Stop()
	l.dispatch()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			l.onTick(time.Now())
		case w := <-l.pen.done:
			l.finished(w)
		case message := <-l.mail:
			switch m := message.(type) {
			case *operation:
				l.operate(m)
			case *drilling:
				l.onDrill(m)
			case *reload:
				l.onReload(m)
			case *freezing:
				l.freezeAll(m)
			case *stopping:
				l.stopArm(m)
			case recalled:
				l.onRecall(m)
			}
		}
		l.dispatch()
	}
}

// introduce tells the brain of the plan it finds after a start: ladder and gates may be others than before.
func (l *Loop) introduce() {
	now := time.Now()
	l.lastTick.Store(int64(now.Sub(l.born)))
	for _, r := range l.rollouts {
		l.replan(r, now)
	}
	l.publish(now)
}

func (l *Loop) replan(r *rollout, now time.Time) {
	r.stir(now)
	next, d := gate.Step(r.state, r.policy, now, gate.Replan{})
	if d.News {
		l.settle(r, next, d, now, nil)
	}
}

// onTick looks at every rollout once, and judges those that do not rest. The same work on good and on bad days.
func (l *Loop) onTick(now time.Time) {
	l.skipGap(now)
	every := sealFor // while all rest
	for i, r := range l.rollouts {
		l.look(r, now)
		l.cutOff(r, now)
		l.drillTick(r, now)
		if r.resting(now, i, l.freeze) && (!r.underway() || l.outside(r.name, now) == nil) {
			continue
		}
		if !r.rest.long(now) {
			every = l.save
		}
		seen := l.seen(r, now)
		next, d := gate.Step(r.state, r.policy, now, seen)
		l.remember(r, &seen.Seen, d.News, now)
		if r.pending != nil && !overtakes(d) {
			if next.Sent() < r.state.Sent() { // a gradual return waits for no disk
				l.become(r, next)
			}
			if now.Sub(r.pending.since) > 2*l.tick { // longer than a disk takes
				l.refrain(r, d)
			}
			continue
		}
		l.settle(r, next, d, now, nil)
		r.judged(&d, now)
		r.series.add(now, r.state.Weight, &r.total)
	}
	if l.lookAtTrials(now) {
		every = l.save
	}
	l.pen.wait = false
	l.answerLate(now)
	l.pen.late(now, l.tick)
	if now.Sub(l.saveAt) >= every || l.pen.err() != nil {
		l.saveAt, l.pen.saveDue = now, true
	}
	l.lastTick.Store(int64(now.Sub(l.born)))
	l.publish(now)
}

// skipGap lets the time of a suspended machine count for no stage: of a gap of more than three ticks one is left.
func (l *Loop) skipGap(now time.Time) {
	gap := now.Sub(l.born) - time.Duration(l.lastTick.Load())
	if gap <= 3*l.tickEvery() {
		return
	}
	for _, r := range l.rollouts {
		if !r.state.Last.IsZero() {
			r.state.Last = r.state.Last.Add(gap - l.tick)
		}
	}
}

// answerLate answers people whose act is done but not yet written.
func (l *Loop) answerLate(now time.Time) {
	for _, notes := range [][]*note{l.pen.sealed, l.pen.queue} {
		for _, n := range notes {
			if n.pending == nil && now.Sub(n.made) >= l.tick {
				n.reply(nil)
			}
		}
	}
}

// watch logs when the loop stands still: no tick for three intervals. Routing stays as it is meanwhile.
func (l *Loop) watch(ctx context.Context) {
	ticks := time.NewTicker(l.tick)
	defer ticks.Stop()
	was := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		idle, stalled := l.Stalled()
		if stalled && !was {
			l.log.Error("control loop stands still: weights are frozen", "dur", idle)
		}
		if was && !stalled {
			l.log.Info("control loop goes on")
		}
		was = stalled
	}
}

// Stalled reports whether the loop has missed three ticks, and how long ago the last one was. Readiness does not depend on it:
// requests are served with the last routing.
func (l *Loop) Stalled() (time.Duration, bool) {
	idle := time.Since(l.born) - time.Duration(l.lastTick.Load())
	return idle, idle > 3*l.tick+l.tick/2
}
