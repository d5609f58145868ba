package control

import (
	"context"
	"fmt"
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
)

// Bounds of a drill.
const (
	MaxDrill      = time.Hour
	MaxDrillDelay = 30 * time.Second
	mostFaults    = 1000    // unless asked otherwise: users get them
	mostMarked    = 100_000 // unless asked otherwise: only marked requests get them
)

// DrillError says why a drill was not begun or stopped, and what would help.
type DrillError struct{ Why, Hint string }

func (e *DrillError) Error() string { return e.Why }

// DrillReading is what the data plane has counted of a drill.
type DrillReading struct {
	ID                    string
	Arms                  [2]window.Snapshot // requests taken, by arm, users included
	Aborted, Delayed, Cut uint64
	Left                  int64 // faults
}

// DrillStatus is a drill that runs.
type DrillStatus struct {
	gate.Drill
	Stable, Canary        uint64 // requests the judge has seen
	Aborted, Delayed, Cut uint64
	Held                  *gate.Firing
}

// rehearsal is the judge of a drill: the rollout's own gates over the drill's own meters. Owned by the loop's goroutine.
type rehearsal struct {
	id      string
	began   time.Time
	until   time.Time // monotonic
	spent   time.Duration
	state   gate.State
	policy  *gate.Policy
	tracker *window.Tracker
	seen    DrillReading
	over    bool // no fault was left at the last look
	held    *gate.Firing
	fired   *gate.Firing
}

// drilling is a wish to begin or to stop a drill, in the mailbox.
type drilling struct {
	rollout string
	drill   *gate.Drill // nil: stop the one that runs
	actor   string
	done    chan<- answer // room for one
}

// Drill begins a drill and returns the journalled decision: nothing is injected before its end time is on disk. ID, Revision,
// Began, Until and Left are filled in. The error is a *DrillError where it does not apply now, else as Operate's.
func (l *Loop) Drill(ctx context.Context, rollout string, d gate.Drill) (journal.Entry, error) {
	return l.askDrill(ctx, &drilling{rollout: rollout, drill: &d, actor: d.Actor})
}

// StopDrill ends the drill that runs, at once, and returns the decision with its result.
func (l *Loop) StopDrill(ctx context.Context, rollout, actor string) (journal.Entry, error) {
	return l.askDrill(ctx, &drilling{rollout: rollout, actor: actor})
}

func (l *Loop) askDrill(ctx context.Context, m *drilling) (journal.Entry, error) {
	done := make(chan answer, 1)
	m.done = done
	a, err := ask(ctx, l, m, done)
	if err != nil {
		return journal.Entry{}, err
	}
	return a.entry, a.err
}

// onDrill is the loop's side of Drill and StopDrill.
func (l *Loop) onDrill(m *drilling) {
	r := l.find(m.rollout)
	if r == nil {
		m.done <- answer{err: ErrUnknownRollout}
		return
	}
	reply := func(e *journal.Entry, err error) {
		a := answer{err: err}
		if e != nil {
			a.entry = *e
		}
		m.done <- a
	}
	now := time.Now()
	r.stir(now)
	l.look(r, now)
	if m.drill == nil {
		if r.state.Drill == nil {
			reply(nil, &DrillError{"no drill runs", "the last one's result is in GET /v1/rollouts/" + r.name + "/drill"})
			return
		}
		l.rehearse(r, now)
		l.endDrill(r, gate.DrillStopped, m.actor, now, reply)
		l.publish(now)
		return
	}
	if err := l.mayDrill(r, m.drill); err != nil {
		reply(nil, err)
		return
	}
	next := r.state
	next.Version++
	d := *m.drill
	d.ID, d.Revision = fmt.Sprintf("%s-%d-drill-%d", r.name, next.Attempt, next.Version), r.policy.Revision
	d.Began, d.Left = now.Round(0).UTC(), d.For
	d.Until = d.Began.Add(d.For)
	next.Drill = &d
	l.propose(r, next, drillDecision(&r.state, r.policy, d.Actor, d.Reason), now, reply)
	l.publish(now)
}

// mayDrill says why a drill cannot begin now, and fills in how many requests it may tamper with.
func (l *Loop) mayDrill(r *rollout, d *gate.Drill) error {
	s, p := &r.state, r.policy
	switch {
	case s.Withdrawn, s.Phase == gate.RolledBack, s.Phase == gate.Completed, s.Ebb.Weight > 0:
		return &DrillError{fmt.Sprintf("%s is %s: no gate watches it", r.name, phaseWords(s.Phase)), "a drill is for a rollout that waits or is under way"}
	case s.Drill != nil:
		return &DrillError{"a drill runs already", "wait for its end, or stop it: serin drill " + r.name + " --stop"}
	case r.pending != nil:
		return &DrillError{"another decision is being written", "try again in a second"}
	case l.freeze != nil:
		return &DrillError{"everything is paused", "serin resume --all ends the freeze"}
	case len(p.Criteria) == 0:
		return &DrillError{r.name + " has no gate: nothing could fire", "add a [[rollout." + r.name + ".gate]]"}
	case !r.reading.CanaryHealthy:
		return &DrillError{"the canary's pool has no healthy server: its failures would be real", "look at serin status"}
	case s.Weight == 0 && len(s.Rings) == 0 && d.Header == "":
		return &DrillError{"nobody is on the canary", `mark requests of your own: --header "X-Drill: 1"; half of them go to the canary`}
	}
	if d.Most == 0 {
		d.Most = mostFaults
		if d.Header != "" {
			d.Most = mostMarked
		}
	}
	return nil
}

func phaseWords(p gate.Phase) string {
	if p == gate.RolledBack {
		return "rolled back"
	}
	return p.String()
}

func drillDecision(s *gate.State, p *gate.Policy, actor, note string) gate.Decision {
	return gate.Decision{
		Action: gate.ActDrill, From: s.Weight, To: s.Weight, Phase: s.Phase, Stage: s.Stage, Stages: len(p.Stages), Cause: s.Cause,
		Reason: s.Reason, Actor: actor, Note: note, News: true,
	}
}

// drillTick looks at the drill that runs, and ends it when its time, its faults or its question is over.
func (l *Loop) drillTick(r *rollout, now time.Time) {
	if r.state.Drill == nil {
		r.drill = nil
		return
	}
	r.stir(now)
	end, actor := l.rehearse(r, now), r.state.Drill.Actor
	if end == "" && l.freeze != nil { // nobody gets faults on purpose while everything stands still
		end, actor = gate.DrillStopped, l.freeze.Actor
	}
	if end == "" || r.pending != nil && end != gate.DrillOver { // the data plane keeps to the end time by itself
		return
	}
	l.endDrill(r, end, actor, now, nil)
}

// rehearse judges what the drill has shown so far; the answer is why it ends, "" while it goes on.
func (l *Loop) rehearse(r *rollout, now time.Time) gate.DrillEnd {
	h := r.rehearsal(l, now)
	d := *r.state.Drill
	d.Left, d.Spent = max(h.until.Sub(now), 0), h.spent+now.Sub(h.began)
	r.state.Drill = &d // the loop's own copy: what is saved and shown
	if got := r.reading.Drill; got != nil && got.ID == d.ID {
		h.seen = *got
		h.judge(now)
	}
	switch s := &r.state; {
	case s.Withdrawn, s.Phase == gate.RolledBack, s.Phase == gate.Completed, s.Revision != d.Revision:
		return gate.DrillOver
	case h.fired != nil:
		return gate.DrillFired
	case d.Left == 0:
		return gate.DrillTime
	case h.seen.ID == d.ID && h.seen.Left == 0:
		if h.over {
			return gate.DrillSpent
		}
		h.over = true // requests under way have a tick to end
	}
	return ""
}

// rehearsal is the judge of the drill that runs; a new one after a restart.
func (r *rollout) rehearsal(l *Loop, now time.Time) *rehearsal {
	d := r.state.Drill
	if r.drill != nil && r.drill.id == d.ID {
		return r.drill
	}
	begun := time.Duration(0)
	if d.Restarts == 0 { // since it was on disk: at most a tick ago
		begun = min(max(now.Sub(d.Began), 0), 2*l.tickEvery())
	}
	h := &rehearsal{id: d.ID, began: now.Add(-begun), until: now.Add(d.Left - begun), spent: d.Spent}
	h.state, h.policy = gate.Rehearse(r.state, r.policy)
	o := window.TrackerOptions{Before: r.before, Every: l.tickEvery()}
	if h.policy.Plain != nil {
		o.Plain = h.policy.Plain.Window
	}
	h.tracker = window.NewTracker(o)
	r.drill = h
	return h
}

func (h *rehearsal) judge(now time.Time) {
	if h.fired != nil {
		return
	}
	h.tracker.Add(now, &h.seen.Arms[0], &h.seen.Arms[1])
	tick := gate.Tick{Seen: gate.Seen{
		View: h.tracker.View(now), StableHealthy: true, CanaryHealthy: true, WindowOpen: true, JournalAvailable: true,
	}}
	next, d := gate.Step(h.state, h.policy, now, tick)
	h.state = next
	held, fired := gate.Ending(d, h.seen.Arms[1].Judged(), now.Sub(h.began))
	if h.held == nil {
		h.held = held
	}
	h.fired = fired
}

// endDrill writes down what the drill has shown. Injecting ends before that.
func (l *Loop) endDrill(r *rollout, end gate.DrillEnd, actor string, now time.Time, done func(*journal.Entry, error)) {
	h := r.drill
	result := &gate.DrillResult{
		Drill: *r.state.Drill, End: end, Ended: now.Round(0).UTC(), Stable: h.seen.Arms[0].Judged(), Canary: h.seen.Arms[1].Judged(),
		Aborted: h.seen.Aborted, Delayed: h.seen.Delayed, Cut: h.seen.Cut, Held: h.held, Fired: h.fired,
	}
	result.Passed = result.Passes(r.policy)
	next := r.state
	next.Drill, next.Drilled = nil, result
	next.Version++
	d := drillDecision(&r.state, r.policy, actor, "")
	if h.fired != nil {
		d.Findings = []gate.Finding{h.fired.Finding}
	}
	l.act(r, next, d, now, done)
	r.drill = nil
}

// restoreDrill is a drill after a restart: never longer than what was left of it, by either clock.
func restoreDrill(d *gate.Drill, now time.Time) *gate.Drill {
	if d == nil {
		return nil
	}
	c := *d
	c.Left = max(min(c.Left, c.Until.Sub(now)), 0)
	c.Restarts++
	return &c
}

// drilled reports whether a drill of this revision has passed lately.
func (r *rollout) drilled(now time.Time) bool {
	d := r.state.Drilled
	return d != nil && d.Passed && d.Revision == r.policy.Revision && now.Sub(d.Ended) <= r.policy.DrillAge
}

// drillStatus is the drill that runs; nil without one.
func (r *rollout) drillStatus() *DrillStatus {
	if r.state.Drill == nil {
		return nil
	}
	out := &DrillStatus{Drill: *r.state.Drill}
	if h := r.drill; h != nil {
		out.Stable, out.Canary, out.Held = h.seen.Arms[0].Judged(), h.seen.Arms[1].Judged(), h.held
		out.Aborted, out.Delayed, out.Cut = h.seen.Aborted, h.seen.Delayed, h.seen.Cut
	}
	return out
}

// drillOf is what routing is to know of a drill: nothing once the rollout is over.
func drillOf(s *gate.State, p *gate.Policy) *gate.Drill {
	over := s.Withdrawn || s.Phase == gate.RolledBack || s.Phase == gate.Completed
	if d := s.Drill; d != nil && d.Left > 0 && d.Revision == p.Revision && !over {
		return d
	}
	return nil
}

func sameDrill(a, b *gate.Drill) bool {
	return (a == nil) == (b == nil) && (a == nil || a.ID == b.ID)
}
