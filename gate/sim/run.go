package sim

import (
	"slices"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// Outcome is how one rollout ended.
type Outcome struct {
	Promoted, RolledBack bool          // neither: still on its way or held at the horizon
	HeldAt               router.Weight // the weight at the horizon, where neither
	First, Widest        router.Weight // the first weight and the largest that it ever had
	Reason               gate.Reason   // of the last decision
	Reasons              []gate.Reason // all reasons a tick held for, each once, in the order of their first time
	Reached              time.Duration // when the canary first got the last stage's weight; 0: never
	Duration             time.Duration // of virtual time
	CanaryRequests       uint64        // all of them, masked users included
	FailedRequests       uint64        // those of CanaryRequests that failed
	Timeline             []Moment      // decisions that said something new
}

// Moment is one decision on the timeline.
type Moment struct {
	At       time.Duration
	Decision gate.Decision // without its findings
}

// Run plays one rollout of p in w. The same seed gives the same outcome. Where the policy asks a person to start or to
// approve, the person does so at once.
func Run(p *gate.Policy, w World, seed uint64) Outcome {
	r := newRollout(p, w, seed)
	for r.at < w.horizon() && !r.over() {
		r.tick()
	}
	r.out.Promoted, r.out.RolledBack = r.state.Phase == gate.Completed, r.state.Phase == gate.RolledBack
	if !r.over() {
		r.out.HeldAt = r.state.Weight
		r.charge()
	}
	r.out.Duration = r.at
	return r.out
}

// rollout is a control loop in virtual time.
type rollout struct {
	p              *gate.Policy
	w              World
	traffic        *traffic
	epoch          time.Time
	at             time.Duration
	state          gate.State
	stable, canary *window.Snapshot // of the step
	tracker        *window.Tracker
	mask           *window.Mask
	before         window.Counts
	mirror         mirror
	look           gate.Tick // the newest, used again
	out            Outcome
}

func newRollout(p *gate.Policy, w World, seed uint64) *rollout {
	r := &rollout{p: p, w: w, traffic: newTraffic(w, seed), epoch: time.Unix(0, 0)}
	r.mask, r.before = r.traffic.before()
	r.step(gate.Replan{})
	r.collect(p.Warmup)
	return r
}

func (r *rollout) over() bool {
	return r.state.Phase == gate.Completed || r.state.Phase == gate.RolledBack
}

// collect begins new evidence.
func (r *rollout) collect(warmup time.Duration) {
	r.charge()
	r.stable, r.canary = &window.Snapshot{Users: r.w.newUsers()}, &window.Snapshot{Users: r.w.newUsers()}
	o := window.TrackerOptions{Warmup: warmup, Mask: r.mask, Before: r.before, Every: r.w.tick()}
	if r.p.Plain != nil {
		o.Plain = r.p.Plain.Window
	}
	r.tracker = window.NewTracker(o)
	r.tracker.Add(r.epoch.Add(r.at), r.stable, r.canary)
}

// charge adds the step's canary requests to the outcome.
func (r *rollout) charge() {
	if r.canary == nil {
		return
	}
	all := r.canary.Everyone(window.BadKind)
	r.out.CanaryRequests += uint64(all.N)
	r.out.FailedRequests += uint64(all.X)
}

func (r *rollout) tick() {
	dt := r.w.tick()
	r.traffic.tick(r.at, dt, r.share(), r.stable, r.canary)
	r.at += dt
	now := r.epoch.Add(r.at)
	r.tracker.Add(now, r.stable, r.canary)
	s := &r.look.Seen
	r.tracker.ViewTo(&s.View, now)
	s.StableHealthy, s.CanaryHealthy, s.WindowOpen, s.JournalAvailable, s.Drilled, s.Terse = true, true, true, true, true, true
	s.ObservedWeight, s.Mirror = r.observed(), r.mirrored(now, dt)
	step := r.state.Step
	r.step(&r.look)
	r.person()
	switch {
	case r.over():
		r.charge()
	case r.state.Step != step:
		r.collect(r.tracker.WarmupLeft())
	}
}

// ringShare is what a ring's members are taken for: one user in a hundred, like all others, and without a past.
const ringShare = router.Full / 100

// share is how many buckets the canary has.
func (r *rollout) share() int {
	if len(r.state.Rings) > 0 {
		return int(max(r.state.Weight, ringShare))
	}
	return int(r.state.Weight)
}

func (r *rollout) observed() float64 {
	c, s := r.canary.Everyone(window.All).N, r.stable.Everyone(window.All).N
	if c+s == 0 {
		return -1
	}
	return c / (c + s)
}

// person does what the policy leaves to one.
func (r *rollout) person() {
	switch {
	case r.state.Phase == gate.Waiting && r.p.ManualStart && !r.state.Begun:
		r.step(gate.Operator{Verb: gate.VerbStart, Actor: "simulation"})
	case r.state.Phase == gate.AwaitingApproval:
		r.step(gate.Operator{Verb: gate.VerbApprove, Actor: "simulation"})
	}
}

func (r *rollout) step(ev gate.Event) {
	var d gate.Decision
	r.state, d = gate.Step(r.state, r.p, r.epoch.Add(r.at), ev)
	r.out.Reason = d.Reason
	if r.out.First == 0 {
		r.out.First = r.state.Weight
	}
	r.out.Widest = max(r.out.Widest, r.state.Weight)
	if r.out.Reached == 0 && r.state.Stage == len(r.p.Stages) && r.state.Weight > 0 {
		r.out.Reached = r.at
	}
	if d.Action == gate.ActHold {
		r.note(d.Reason)
		for _, reason := range d.Reasons {
			r.note(reason)
		}
	}
	if d.News {
		d.Findings = nil
		r.out.Timeline = append(r.out.Timeline, Moment{At: r.at, Decision: d})
	}
}

func (r *rollout) note(reason gate.Reason) {
	if !slices.Contains(r.out.Reasons, reason) {
		r.out.Reasons = append(r.out.Reasons, reason)
	}
}
