package control

import (
	"time"

	"serin/gate/journal"
	"serin/gate/window"
)

// comparisons are what a mirror has compared in the step: the canary's answers with the users', and stable's with one
// another. They are counted, kept and restored like a step's requests, beside them.
type comparisons struct {
	tracker *window.Tracker    // nil: nothing is mirrored
	base    [2]window.Snapshot // what a process before counted
	total   [2]window.Snapshot
	view    window.View
}

// compare takes in what the mirror has counted by now.
func (l *Loop) compare(r *rollout, now time.Time) {
	c := &r.compared
	if r.setting.Mirror == 0 || r.reading.Mirrored == nil {
		*c = comparisons{}
		return
	}
	if c.tracker == nil {
		c.tracker = l.newTracker(r, 0)
	}
	for arm := range c.total {
		c.total[arm] = r.reading.Mirrored[arm]
		if c.base[arm].Total() > 0 {
			c.total[arm] = *c.base[arm].Clone()
			c.total[arm].Add(&r.reading.Mirrored[arm])
		}
	}
	c.tracker.Add(now, &c.total[0], &c.total[1])
}

// comparison is what the brain may look at; nil where nothing is mirrored.
func (r *rollout) comparison(now time.Time) *window.View {
	c := &r.compared
	if c.tracker == nil {
		return nil
	}
	c.view = c.tracker.View(now)
	return &c.view
}

// compareRecord is what a restart must not lose.
func (r *rollout) compareRecord() *journal.Evidence {
	c := &r.compared
	if c.tracker == nil {
		return nil
	}
	tracker, err := c.tracker.MarshalJSON()
	if err != nil {
		return nil // a tracker of numbers can be written; without it the comparisons begin anew
	}
	return &journal.Evidence{Step: r.state.Step, Tracker: tracker, Stable: c.total[0].Clone(), Canary: c.total[1].Clone()}
}

// resumeCompared continues the step's comparisons.
func (l *Loop) resumeCompared(r *rollout, e *journal.Evidence) {
	if e == nil || e.Step != r.state.Step {
		return
	}
	t := l.newTracker(r, 0)
	if t.UnmarshalJSON(e.Tracker) != nil {
		return
	}
	r.compared = comparisons{tracker: t, base: [2]window.Snapshot{*e.Stable, *e.Canary}}
}
