package control

import (
	"time"

	"serin/gate"
	"serin/gate/journal"
)

const (
	// restAfter is how long a rollout must have been quiet, undecided and unchanged before it rests. What its rolling
	// windows still change is judged every restEvery.
	restAfter = 20 * time.Second
	// restEvery is the longest a resting rollout goes unjudged. Step counts up to 15 s at a time, so its clocks lose nothing.
	restEvery = 10 * time.Second
	// sealFor is how old the saved clocks of a resting rollout may be.
	sealFor = time.Minute
)

// rest says when a rollout without traffic needs the brain again. Its meters, health and window are looked at every tick all
// the same, and whatever changes there, or is asked by a person, ends the rest at once. Of a thousand rollouts most are quiet:
// judging and showing each of them every second would be nearly all that the loop does.
type rest struct {
	circumstances
	since  time.Time // nothing has happened since
	wake   time.Time // the next judgement
	asleep bool      // at the last tick
	shown  bool      // rollout.status is what report would say, but for clocks

	sealed   journal.Record // as saved while asleep
	sealedAt time.Time
}

// circumstances are what a decision may rest on, besides counts and clocks.
type circumstances struct {
	stableHealthy, canaryHealthy, windowOpen, journalAvailable bool
	freeze                                                     *gate.Freeze
}

// resting reports whether the tick has nothing to decide, having looked. i spreads the rollouts over the ticks.
func (r *rollout) resting(now time.Time, i int, freeze *gate.Freeze) bool {
	c := circumstances{r.reading.StableHealthy, r.reading.CanaryHealthy, r.windowOpen, r.journalAvailable, freeze}
	if !r.reading.Quiet || c != r.rest.circumstances || r.pending != nil || r.state.Ebb.Weight > 0 || len(r.reading.Signals) > 0 {
		r.stir(now)
		r.rest.circumstances = c
	}
	if !r.rest.long(now) {
		r.rest.wake = now.Add(time.Duration(1+i%int(restEvery/time.Second)) * time.Second)
		return false
	}
	r.rest.asleep = now.Before(r.rest.wake)
	return r.rest.asleep
}

// long reports whether the rollout has been left alone long enough.
func (r *rest) long(now time.Time) bool { return now.Sub(r.since) >= restAfter }

// stir ends a rest.
func (r *rollout) stir(now time.Time) {
	r.rest.since, r.rest.asleep, r.rest.shown = now, false, false
	r.rest.sealed, r.rest.sealedAt = journal.Record{}, time.Time{}
}

// judged notes a judgement, and what is due next.
func (r *rollout) judged(d *gate.Decision, now time.Time) {
	r.rest.shown = false
	if d.News {
		r.stir(now)
	}
	if !r.rest.wake.After(now) {
		r.rest.wake = now.Add(restEvery)
	}
	s := &r.state
	for _, t := range []*gate.Timer{gate.HoldTimer(*s, r.policy), gate.ApprovalTimer(*s, r.policy)} {
		if t != nil {
			r.due(now, t.Left)
		}
	}
	if s.Phase == gate.Progressing && s.Stage >= 1 && s.Stage <= len(r.policy.Stages) {
		r.due(now, r.policy.Stages[s.Stage-1].Least-s.Clock)
	}
}

// due wakes the rollout when left has passed; what is over is not waited for.
func (r *rollout) due(now time.Time, left time.Duration) {
	if at := now.Add(left); left > 0 && at.Before(r.rest.wake) {
		r.rest.wake = at
	}
}
