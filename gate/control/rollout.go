package control

import (
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
)

// rollout is the loop's bookkeeping of one rollout. Owned by the loop's goroutine.
type rollout struct {
	name   string
	policy *gate.Policy

	state    gate.State
	setting  Setting       // in force
	decision gate.Decision // the last one, holds without news included
	rest     rest
	status   RolloutStatus // as last shown
	pending  *pending      // a decision that waits for the journal; nil: none
	number   int           // of the attempt's last decision
	last     *journal.Entry

	tracker *window.Tracker
	reading Reading             // since the process began the step
	base    *[2]window.Snapshot // what a process before counted in the same step; nil: nothing
	total   [2]window.Snapshot  // base and reading
	history window.History      // stable while no rollout runs
	mask    *window.Mask        // frozen when the attempt's first stage began
	before  window.Counts       // stable's error rate then
	spent   exposure            // of the attempt, the current step left out
	series  series
	rings   rings
	traffic load

	compared *comparisons // nil: nothing is mirrored
	drill    *rehearsal   // nil: no drill runs

	recordedAt time.Duration // age of the step at its last window
	recorded   uint64        // the step, from 1; 0: none
	// recordedTotal is what both arms had counted then: a window that says nothing new is not recorded.
	recordedTotal uint64

	emptied time.Time // the last users left the canary then, and what is under way is not cut off yet; zero: else

	signals     signalled
	signalsStep uint64 // that signals are of

	// of the last look
	lookedAt         time.Time
	here             time.Duration // at the share in force, as far as spent does not have it
	windowOpen       bool
	journalAvailable bool
}

// tickEvery is what a tracker expects between two readings: a tick, but a loop starved of CPU is not a suspended machine.
func (l *Loop) tickEvery() time.Duration { return max(l.tick, time.Second) }

// newTracker begins the evidence of a step.
func (l *Loop) newTracker(r *rollout, warmup time.Duration) *window.Tracker {
	o := window.TrackerOptions{Warmup: warmup, Mask: r.mask, Before: r.before, Every: l.tickEvery()}
	if r.policy.Plain != nil {
		o.Plain = r.policy.Plain.Window
	}
	return window.NewTracker(o)
}

// look reads the meters and the circumstances, and tells the tracker and, while nothing runs, the history.
func (l *Loop) look(r *rollout, now time.Time) {
	r.reading.WantUsers = true
	l.dataplane.Read(r.name, &r.reading)
	if !r.reading.Quiet {
		r.sum()
		if r.idle() {
			r.history.Add(now, &r.total[0])
		}
	}
	r.rings.look(&r.reading, now)
	r.tracker.Add(now, &r.total[0], &r.total[1])
	l.compare(r, now)
	l.hearSignals(r, now)
	if r.policy.Capacity > 0 || r.policy.StableCapacity > 0 {
		r.traffic.add(now, r.state.Step, &r.total)
	}
	r.journalAvailable = l.available(now) && r.pending == nil
	r.spend(now)
	r.windowOpen, _ = l.windowOf(r, now)
}

// seen is what the brain is told of the last look. It is the loop's one tick, good until the next rollout's: a View is large.
func (l *Loop) seen(r *rollout, now time.Time) *gate.Tick {
	t := &l.told.Seen
	r.tracker.ViewTo(&t.View, now)
	t.StableHealthy, t.CanaryHealthy, t.ObservedWeight = r.reading.StableHealthy, r.reading.CanaryHealthy, r.observed()
	t.JournalAvailable, t.WindowOpen = r.journalAvailable, r.windowOpen
	t.Past, t.Outside, t.Signals = r.rings.pastOf(r.policy, r.state.Stage), l.outside(r.name, now), r.signals.views(now)
	t.Load, t.Freeze, t.Mirror, t.Drilled = r.load(now), l.freeze, r.comparison(now), r.drilled(now)
	return &l.told
}

// sum adds what a process before counted in the same step.
func (r *rollout) sum() {
	for i, arm := range []*window.Snapshot{&r.reading.Stable, &r.reading.Canary} {
		if r.base == nil || r.base[i].Total() == 0 {
			r.total[i] = *arm // users and all: nobody changes a total
			continue
		}
		users := r.total[i].Users
		zero(users)
		r.total[i] = r.base[i]
		r.total[i].Users = users
		r.total[i].Add(&window.Snapshot{Users: r.base[i].Users})
		r.total[i].Add(arm)
	}
}

func zero(u *window.Users) {
	if u == nil {
		return
	}
	for _, counts := range u {
		clear(counts)
	}
}

// idle reports that stable serves everybody and no attempt is under way.
func (r *rollout) idle() bool {
	return r.state.Phase == gate.RolledBack && r.state.Ebb.Weight == 0 || r.state.Phase == gate.Waiting && r.state.Weight == 0
}

// observed is the canary's share of the step's keyed requests, masked ones included; -1 without any.
func (r *rollout) observed() float64 {
	stable, canary := float64(r.total[0].Total()), float64(r.total[1].Total())
	if stable+canary == 0 {
		return -1
	}
	return canary / (stable + canary)
}

// become makes next the state: routing, meters and bookkeeping follow. It is the only place that changes a rollout's routing
// outside Install.
func (l *Loop) become(r *rollout, next gate.State) {
	was := r.state
	mask, before := r.mask, r.before
	if was.Stage == 0 && next.Stage > 0 {
		mask, before = r.history.Freeze(), r.history.Before()
	}
	setting := settingOf(next, r.policy, mask)
	r.rings.open(setting.Audiences, mask, time.Now())
	if !setting.equal(r.setting) {
		l.dataplane.Set(r.name, setting)
	}
	r.empties(setting)
	if next.Revision != was.Revision { // another pool, which has nothing to drain
		r.emptied = time.Time{}
	}
	share, weight, under := shareOf(r.setting), r.setting.Weight, r.underway()
	r.setting, r.state, r.mask, r.before = setting, next, mask, before
	if next.Step == was.Step && next.Attempt == was.Attempt {
		return
	}
	r.spent.add(&r.total[1], share)
	r.members(&r.spent, share)
	if under {
		r.fold(weight)
		r.countShare(&r.spent, weight)
	}
	if next.Attempt != was.Attempt {
		r.spent, r.number = exposure{}, 0
		r.series.attempt()
	}
	warmup := r.tracker.WarmupLeft()
	if was.Stage == 0 {
		warmup = r.policy.Warmup
	}
	r.begin(l, warmup)
}

// begin starts the step's evidence from nothing.
func (r *rollout) begin(l *Loop, warmup time.Duration) {
	r.tracker = l.newTracker(r, warmup)
	r.compared = nil
	r.base, r.total = nil, [2]window.Snapshot{}
	r.reading = Reading{StableHealthy: r.reading.StableHealthy, CanaryHealthy: r.reading.CanaryHealthy}
	r.history.Rebase()
	r.series.rebase()
	r.rings.base = nil
}

// newRollout makes the bookkeeping from what the journal knows; a zero record is a rollout nobody has seen.
func (l *Loop) newRollout(c *config.Rollout, record journal.Record) *rollout {
	r := &rollout{
		name: c.Name, policy: c.Policy, state: record.State, number: record.Number, last: record.Last,
		mask: record.Mask, before: record.Before, spent: exposureOf(record.Exposure),
	}
	r.state.Drill = restoreDrill(r.state.Drill, time.Now())
	r.tracker = l.newTracker(r, c.Policy.Warmup)
	l.resume(r, record.Evidence)
	r.setting = settingOf(r.state, r.policy, r.mask)
	r.rings = ringsOf(c.Rings, record.Rings, time.Now())
	r.rings.open(r.setting.Audiences, r.mask, time.Now())
	if e := record.Evidence; e != nil && e.Step == r.state.Step {
		r.rings.base = e.Members
	}
	r.decision = gate.Recall(r.state, r.policy)
	return r
}

// resume continues a step's evidence, or restarts the step where there is none: it is never skipped.
func (l *Loop) resume(r *rollout, e *journal.Evidence) {
	if e != nil && e.Step == r.state.Step {
		if err := r.tracker.UnmarshalJSON(e.Tracker); err == nil {
			if e.Stable.Total()+e.Canary.Total() > 0 {
				r.base = &[2]window.Snapshot{*e.Stable, *e.Canary}
				r.series.resume(r.base)
			}
			r.total = [2]window.Snapshot{*e.Stable.Clone(), *e.Canary.Clone()}
			l.resumeCompared(r, e.Mirror)
			l.resumeSignals(r, e.Signals)
			return
		}
		l.log.Warn("evidence of the stage lost: the stage begins anew", "rollout", r.name, "stage", r.state.Stage)
	}
	r.state.Clock, r.state.Age = 0, 0
}
