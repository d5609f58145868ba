package sim

import (
	"time"

	"serin/gate/window"
)

// mirror is the comparisons of a stage that mirrors: a world knows nothing of what answers say, so all of them are alike.
type mirror struct {
	tracker *window.Tracker // nil: the stage mirrors nothing
	arms    [2]window.Snapshot
	owed    [2]float64
	view    window.View
}

// control is stable's part of the comparisons: mirror.noise as it is when left out.
const control = .1

// mirrored lets the time of a tick pass; nil where the stage mirrors nothing.
func (r *rollout) mirrored(now time.Time, dt time.Duration) *window.View {
	m := &r.mirror
	if r.state.Stage < 1 || r.state.Stage > len(r.p.Stages) || r.p.Stages[r.state.Stage-1].Mirror == 0 {
		*m = mirror{}
		return nil
	}
	if m.tracker == nil {
		m.tracker = window.NewTracker(window.TrackerOptions{Every: r.w.tick()})
	}
	n := r.w.RPS * dt.Seconds() * r.p.Stages[r.state.Stage-1].Mirror.Fraction()
	for arm, share := range [2]float64{control, 1} {
		m.owed[arm] += n * share
		whole := uint64(m.owed[arm])
		m.owed[arm] -= float64(whole)
		m.arms[arm].Outcomes[window.Success] += whole
	}
	m.tracker.Add(now, &m.arms[0], &m.arms[1])
	m.view = m.tracker.View(now)
	return &m.view
}
