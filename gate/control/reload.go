package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

type reload struct {
	plan *config.Plan
	done chan error // room for one
}

// Start puts the plan in force with the weights the journal knows, none higher than the last one decided, and publishes the
// first Status. Call it before requests are let in; it does nothing the second time. On an error nothing is in force.
func (l *Loop) Start() error {
	if l.started {
		return nil
	}
	now := time.Now()
	for _, warning := range l.restored.Warnings {
		l.log.Warn("state restored with damage", "detail", warning)
	}
	if l.restored.Broken != "" {
		l.log.Error("state unreadable: every rollout is at weight 0 and starts nothing by itself", "err", l.restored.Broken)
	}
	l.gone, l.freeze = l.restored.Rollouts, l.restored.Freeze
	if l.gone == nil {
		l.gone = map[string]journal.Record{}
	}
	settings := map[string]Setting{}
	for i := range l.plan.Rollouts {
		r := l.takeIn(&l.plan.Rollouts[i], now)
		settings[r.name] = r.setting
	}
	trials := l.plannedTrials(l.plan, settings, now)
	if err := l.dataplane.Install(l.plan, settings); err != nil {
		l.rollouts, l.pen.queue = nil, nil
		return fmt.Errorf("install plan: %w", err)
	}
	for _, r := range l.rollouts {
		l.look(r, now) // what a process before counted is shown from the start
	}
	l.adoptTrials(trials, now)
	l.restored = &journal.Restored{} // what a later plan brings is new
	l.pen.wait = true                // nobody writes yet
	for _, r := range l.rollouts {
		l.replan(r, now) // so that the first status has the version that acts are held to
	}
	l.pen.wait = false
	l.saveAt, l.pen.saveDue = now, true
	l.lastTick.Store(int64(now.Sub(l.born)))
	l.publish(now)
	l.started = true
	return nil
}

// takeIn makes a rollout from what the journal knows of it.
func (l *Loop) takeIn(c *config.Rollout, now time.Time) *rollout {
	record, known := l.gone[c.Name]
	delete(l.gone, c.Name)
	if !known {
		record.Broken = l.restored.Broken
	}
	broken := record.Broken
	was := record.State.Weight
	if broken != "" {
		record = brokenRecord(record, c.Policy)
	}
	r := l.newRollout(c, record)
	l.rollouts = append(l.rollouts, r)
	if broken != "" {
		l.confess(r, was, broken, now)
	}
	return r
}

// brokenRecord is where a rollout goes whose last decision is unknown: everybody on stable, and only a person or a new
// revision begins again.
func brokenRecord(record journal.Record, p *gate.Policy) journal.Record {
	s := record.State
	s.Phase, s.Weight, s.Cause, s.Live, s.Withdrawn = gate.RolledBack, 0, "", "", false
	s.Revision, s.Attempt = p.Revision, max(s.Attempt, 1)
	s.Reverted = append(slices.Clone(s.Reverted), p.Revision)
	s.Reason = gate.RestartReplayed
	s.Version, s.Step = s.Version+1, s.Step+1
	record.State, record.Evidence, record.Broken = s, nil, ""
	return record
}

// confess journals and logs that a rollout was taken to weight 0 for want of a readable state.
func (l *Loop) confess(r *rollout, was router.Weight, why string, now time.Time) {
	d := gate.Decision{
		Action: gate.ActRollback, From: was, Phase: gate.RolledBack, Stage: r.state.Stage, Stages: len(r.policy.Stages),
		Reason: gate.RestartReplayed, Actor: gate.ActorSerin, Note: why, News: true,
	}
	r.decision = d
	e := l.entry(r, r.state, d, now)
	e.Sentence = fmt.Sprintf("Everybody is on stable: %s. Nothing starts by itself; `serin retry %s` begins a new attempt.", why, r.name)
	r.last = &e
	l.log.Error("rollout at weight 0: its state is not known", "rollout", r.name, "err", why)
	l.count(&e)
	l.pen.add(&note{entry: e, rollout: r, made: now})
}

// Reload puts another plan in force and returns when it is, or was refused; the running one stays then. It moves no weight
// and restarts no stage, but for a new revision and for a rollout that the plan has no more.
func (l *Loop) Reload(ctx context.Context, plan *config.Plan) error {
	done := make(chan error, 1)
	refused, err := ask(ctx, l, &reload{plan: plan, done: done}, done)
	if err != nil {
		return err
	}
	return refused
}

// onReload puts a plan in force. It is answered once the status shows it: who has the answer finds what was asked for.
func (l *Loop) onReload(m *reload) {
	if err := l.reload(m.plan); err != nil {
		m.done <- err
		return
	}
	l.reloaded = append(l.reloaded, m.done)
	l.publish(time.Now())
}

// reload is the loop's side of Reload: removed rollouts go to weight 0, the plan is installed with the weights as they are,
// then the brain hears of what changed.
func (l *Loop) reload(plan *config.Plan) error {
	now := time.Now()
	old, removed := l.rollouts, l.removed(plan)
	for _, r := range removed {
		none := r.setting
		none.Weight, none.Audiences, none.Mirror, none.Keep = 0, nil, 0, ""
		none.Drill = nil
		l.dataplane.Set(r.name, none)
	}
	next, added, settings := l.planned(plan, now)
	trials := l.plannedTrials(plan, settings, now)
	if err := l.dataplane.Install(plan, settings); err != nil {
		for _, r := range removed {
			l.dataplane.Set(r.name, r.setting)
		}
		for _, r := range added {
			l.gone[r.name] = l.record(r)
		}
		l.rollouts = old
		return fmt.Errorf("install plan: %w", err)
	}
	l.plan = plan
	for _, r := range removed {
		l.withdraw(r, now)
	}
	l.rollouts = next
	l.adoptTrials(trials, now)
	for i := range plan.Rollouts {
		r := next[i]
		r.stir(now)
		if p := plan.Rollouts[i].Policy; r.policy != p || slices.Contains(added, r) {
			r.policy, r.setting = p, settings[r.name]
			r.rings.follow(plan.Rollouts[i].Rings)
			l.replan(r, now)
		}
	}
	l.pen.saveDue = true
	l.log.Info("plan in force", "rollouts", len(next), "file", plan.File)
	return nil
}

// removed are the rollouts that plan has no more.
func (l *Loop) removed(plan *config.Plan) []*rollout {
	var out []*rollout
	for _, r := range l.rollouts {
		if !slices.ContainsFunc(plan.Rollouts, func(c config.Rollout) bool { return c.Name == r.name }) {
			out = append(out, r)
		}
	}
	return out
}

// planned is the plan's rollouts in its order, those among them that are new, and everybody's routing under the plan.
func (l *Loop) planned(plan *config.Plan, now time.Time) (next, added []*rollout, settings map[string]Setting) {
	settings = map[string]Setting{}
	for i := range plan.Rollouts {
		c := &plan.Rollouts[i]
		r := l.find(c.Name)
		if r == nil {
			r = l.takeIn(c, now)
			added = append(added, r)
		}
		next = append(next, r)
		settings[c.Name] = settingOf(r.state, c.Policy, r.mask)
	}
	return next, added, settings
}

// withdraw ends a rollout that the plan has no more; what it was is kept, in case it comes back.
func (l *Loop) withdraw(r *rollout, now time.Time) {
	next, d := gate.Step(r.state, r.policy, now, gate.Replan{Withdrawn: true})
	if p := r.pending; p != nil {
		p.overtaken, r.pending = true, nil
		next.Version = max(next.Version, p.next.Version+1)
		defer l.release(p)
	}
	if d.News {
		e := l.entry(r, next, d, now)
		r.last = &e
		l.tell(&e)
		l.count(&e)
		l.pen.add(&note{entry: e, rollout: r, made: now})
	}
	r.spent.add(&r.total[1], shareOf(r.setting))
	r.members(&r.spent, shareOf(r.setting))
	r.state = next
	l.gone[r.name] = l.record(r)
}
