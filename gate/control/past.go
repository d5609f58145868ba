package control

import (
	"time"

	"serin/gate"
	"serin/gate/journal"
)

// Recorder keeps what was seen, for a replay. The Journal may be one; *journal.Journal is. Called by the writer.
type Recorder interface {
	Record(windows ...journal.Window) error
}

const (
	windowEvery     = 5 * time.Second  // between two windows of a young step
	windowYoung     = 10 * time.Minute // how long a step is young
	windowEveryLate = 30 * time.Second
	maxWindows      = 500 // kept in memory while the disk is busy; the oldest go first
)

// remember records what a look saw, now and then, and whenever something was decided.
func (l *Loop) remember(r *rollout, seen *gate.Seen, news bool, now time.Time) {
	s := &r.state
	if l.recorder == nil || !r.underway() {
		return
	}
	every := windowEvery
	if s.Age > windowYoung {
		every = windowEveryLate
	}
	total := r.total[0].Total() + r.total[1].Total()
	if !news && r.recorded == s.Step+1 && (s.Age-r.recordedAt < every || total == r.recordedTotal) {
		return
	}
	r.recorded, r.recordedAt, r.recordedTotal = s.Step+1, s.Age, total
	clock := s.Clock // as Step counts it at this look
	if s.Phase == gate.Progressing && seen.CanaryHealthy && !s.Last.IsZero() {
		clock += min(max(now.Sub(s.Last), 0), longestLook)
	}
	v := &seen.View
	w := journal.Window{
		Rollout: r.name, At: now.Round(0), Attempt: s.Attempt, Revision: s.Revision, Phase: s.Phase, Stage: s.Stage,
		Weight: s.Weight, Step: s.Step, Restarts: s.Restarts, Clock: clock, Age: v.Elapsed,
		Stable: v.Full.Stable, Canary: v.Full.Canary, Crowds: append(v.Crowds[:0:0], v.Crowds[:]...), Warm: v.Warm, Before: v.Before,
		EffectiveThen: v.EffectiveThen, Observed: seen.ObservedWeight,
		StableHealthy: seen.StableHealthy, CanaryHealthy: seen.CanaryHealthy,
	}
	p := &l.pen
	if p.windows = append(p.windows, w); len(p.windows) > maxWindows {
		p.windows = p.windows[1:]
	}
}

// recorded takes the writer's report on windows in. That none can be written is no reason to hold anything.
func (l *Loop) recorded(err error) {
	switch p := &l.pen; {
	case err != nil && !p.mute:
		p.mute = true
		l.log.Warn("windows not recorded: a replay will lack them", "err", err)
	case err == nil:
		p.mute = false
	}
}
