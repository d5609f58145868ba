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
	mirror  uint64 // Reading.Mirror; 0: none seen by this process
}

// compare takes in what the mirror has counted by now.
func (l *Loop) compare(r *rollout, now time.Time) {
	if r.setting.Mirror == 0 || r.reading.Mirrored == nil {
		r.compared = nil
		return
	}
	c := r.compared
	if c == nil || c.mirror != r.reading.Mirror && c.mirror != 0 { // a reload changed what is compared
		c = &comparisons{}
		r.compared = c
	}
	c.mirror = r.reading.Mirror
	if c.tracker == nil {
		c.tracker = l.newTracker(r, 0)
	}
	c.add(now, r.reading.Mirrored)
}

// add takes in a reading of the step, by arm.
func (c *comparisons) add(now time.Time, arms *[2]window.Snapshot) {
	for arm := range c.total {
		c.total[arm] = arms[arm]
		if c.base[arm].Total() > 0 {
			c.total[arm] = *c.base[arm].Clone()
			c.total[arm].Add(&arms[arm])
		}
	}
	c.tracker.Add(now, &c.total[0], &c.total[1])
}

// comparison is what the brain may look at; nil where nothing is mirrored.
func (r *rollout) comparison(now time.Time) *window.View {
	c := r.compared
	if c == nil || c.tracker == nil {
		return nil
	}
	c.tracker.ViewTo(&c.view, now)
	return &c.view
}

// compareRecord is what a restart must not lose.
func (r *rollout) compareRecord() *journal.Evidence { return r.compared.record(r.state.Step) }

// record is nil where c is, or has compared nothing yet.
func (c *comparisons) record(step uint64) *journal.Evidence {
	if c == nil || c.tracker == nil {
		return nil
	}
	tracker, err := c.tracker.MarshalJSON()
	if err != nil {
		return nil // a tracker of numbers can be written; without it the comparisons begin anew
	}
	return &journal.Evidence{Step: step, Tracker: tracker, Stable: c.total[0].Clone(), Canary: c.total[1].Clone()}
}

// resumeCompared continues the step's comparisons.
func (l *Loop) resumeCompared(r *rollout, e *journal.Evidence) {
	r.compared = l.resumed(r, e)
}

// resumed continues what was counted of the step; nil where that is of another one.
func (l *Loop) resumed(r *rollout, e *journal.Evidence) *comparisons {
	if e == nil || e.Step != r.state.Step || e.Stable == nil || e.Canary == nil {
		return nil
	}
	t := l.newTracker(r, 0)
	if t.UnmarshalJSON(e.Tracker) != nil {
		return nil
	}
	return &comparisons{tracker: t, base: [2]window.Snapshot{*e.Stable, *e.Canary}}
}
