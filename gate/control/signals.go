package control

import (
	"time"

	"serin/gate/journal"
	"serin/gate/window"
)

// signalled is what the business signals of a step say, by signal: each is counted, kept and restored like the step's requests.
type signalled map[string]*comparisons

// hearSignals takes in what was recorded by now.
func (l *Loop) hearSignals(r *rollout, now time.Time) {
	if len(r.reading.Signals) == 0 || r.signalsStep != r.setting.Step {
		r.signals, r.signalsStep = nil, r.setting.Step
	}
	if len(r.reading.Signals) == 0 {
		return
	}
	if r.signals == nil {
		r.signals = signalled{}
	}
	for name, arms := range r.reading.Signals {
		c := r.signals[name]
		if c == nil {
			c = &comparisons{}
			r.signals[name] = c
		}
		if c.tracker == nil {
			c.tracker = l.newTracker(r, 0)
		}
		c.add(now, arms)
	}
	for name := range r.signals {
		if r.reading.Signals[name] == nil {
			delete(r.signals, name)
		}
	}
}

// views are what the brain may look at; nil where no signal is judged.
func (s signalled) views(now time.Time) map[string]*window.View {
	if len(s) == 0 {
		return nil
	}
	out := make(map[string]*window.View, len(s))
	for name, c := range s {
		if c.tracker != nil {
			c.tracker.ViewTo(&c.view, now)
			out[name] = &c.view
		}
	}
	return out
}

// records are what a restart must not lose.
func (s signalled) records(step uint64) map[string]*journal.Evidence {
	if len(s) == 0 {
		return nil
	}
	out := make(map[string]*journal.Evidence, len(s))
	for name, c := range s {
		if e := c.record(step); e != nil {
			out[name] = e
		}
	}
	return out
}

// resumeSignals continues the step's signals.
func (l *Loop) resumeSignals(r *rollout, saved map[string]*journal.Evidence) {
	r.signalsStep = r.state.Step
	for name, e := range saved {
		if c := l.resumed(r, e); c != nil {
			if r.signals == nil {
				r.signals = signalled{}
			}
			r.signals[name] = c
		}
	}
}
