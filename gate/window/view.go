package window

import (
	"encoding/json"
	"fmt"
	"time"
)

// View is what the gate may look at, as of the newest reading. now only moves Elapsed on; a View shares nothing with t.
// Before the first Add it is empty.
func (t *Tracker) View(now time.Time) View {
	var v View
	t.ViewTo(&v, now)
	return v
}

// ViewTo makes v the View of now: a View is large, and v can be used again.
func (t *Tracker) ViewTo(v *View, now time.Time) {
	*v = View{}
	v.Warm, v.Crowds, v.Before, v.Elapsed = t.state.Warm, t.state.Crowds, t.opts.Before, t.state.Elapsed
	if t.last.IsZero() {
		return
	}
	v.Elapsed += max(now.Sub(t.last), 0)
	t.span(&v.Full, &pair{})
	if p := t.reach(Long); p != nil {
		t.span(&v.W300, p)
	}
	if p := t.reach(Short); p != nil {
		t.span(&v.W60, p)
	}
	if p := t.reach(keepEvery - keepSlack); p != nil {
		t.outcomes(&v.Recent, p)
	}
	if t.opts.Plain > 0 {
		if p := t.reach(t.opts.Plain); p != nil {
			t.span(&v.Plain, p)
		}
	}
	for _, p := range t.state.Points {
		if p.At <= v.Elapsed/2 {
			v.EffectiveThen = p.Effective
		}
	}
}

// WarmupLeft is what the next step's tracker must still leave out of latency.
func (t *Tracker) WarmupLeft() time.Duration {
	if t.state.Warm {
		return 0
	}
	return max(t.opts.Warmup-t.state.Warmed, 0)
}

// reach is the newest kept reading at least d old; nil when there is none.
func (t *Tracker) reach(d time.Duration) *pair {
	for i := len(t.ring) - 1; i >= 0; i-- {
		if t.now.at-t.ring[i].at >= d {
			return &t.ring[i]
		}
	}
	return nil
}

// span is the stretch since from. Latency counts from the end of the warm-up, if that came later.
func (t *Tracker) span(s *Span, from *pair) {
	s.OK, s.Length = true, t.now.at-from.at
	stretch(&s.Stable, t.now.stable, from.stable)
	stretch(&s.Canary, t.now.canary, from.canary)
	switch {
	case !t.state.Warm:
		since(&s.Stable, t.now.stable, t.now.stable)
		since(&s.Canary, t.now.canary, t.now.canary)
	case t.state.Canary != nil && from.at < t.state.WarmAt:
		since(&s.Stable, t.now.stable, t.state.Stable)
		since(&s.Canary, t.now.canary, t.state.Canary)
	}
}

// stretch fills s, which is empty, with what was counted between then and now; then nil: since the beginning.
func stretch(s, now, then *Snapshot) {
	if now == then {
		return // nothing: of many rollouts most are quiet
	}
	*s = *now
	if then != nil {
		s.Sub(then)
	}
}

// outcomes is span without the latencies, which nobody asks of so short a stretch.
func (t *Tracker) outcomes(s *Span, from *pair) {
	s.OK, s.Length = true, t.now.at-from.at
	for i := range s.Canary.Outcomes {
		s.Stable.Outcomes[i] = t.now.stable.Outcomes[i] - from.stable.Outcomes[i]
		s.Canary.Outcomes[i] = t.now.canary.Outcomes[i] - from.canary.Outcomes[i]
	}
}

// since sets s's latencies to those of now without those of then.
func since(s, now, then *Snapshot) {
	s.Latency, s.Aborts = now.Latency, now.Aborts
	s.Latency.sub(&then.Latency)
	s.Aborts.sub(&then.Aborts)
	s.Seconds = now.Seconds - then.Seconds
}

// MarshalJSON saves what a restart must not lose; options, windows and readings are not in it.
func (t *Tracker) MarshalJSON() ([]byte, error) { return json.Marshal(&t.state) }

// UnmarshalJSON continues a saved step in a tracker that NewTracker made with the same options. t is unchanged on error.
func (t *Tracker) UnmarshalJSON(b []byte) error {
	var s trackerState
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read tracker: %w", err)
	}
	if s.Elapsed < 0 || s.Warmed < 0 || s.WarmAt < 0 || (s.Stable == nil) != (s.Canary == nil) {
		return fmt.Errorf("read tracker: negative time or half a warm-up")
	}
	for k := range s.Crowds {
		s.Crowds[k].DesignEffect = max(s.Crowds[k].DesignEffect, 1)
	}
	t.state = s
	return nil
}
