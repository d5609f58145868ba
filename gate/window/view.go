package window

import (
	"encoding/json"
	"fmt"
	"time"
)

// View is what the gate may look at, as of the newest reading. now only moves Elapsed on; a View shares nothing with t.
// Before the first Add it is empty.
func (t *Tracker) View(now time.Time) View {
	v := View{Warm: t.state.Warm, Crowds: t.state.Crowds, Before: t.opts.Before, Elapsed: t.state.Elapsed}
	if t.last.IsZero() {
		return v
	}
	v.Elapsed += max(now.Sub(t.last), 0)
	from := nothing()
	t.span(&v.Full, &from)
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
	return v
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
	s.Stable, s.Canary = *t.now.stable, *t.now.canary
	s.Stable.Sub(from.stable)
	s.Canary.Sub(from.canary)
	switch {
	case !t.state.Warm:
		since(&s.Stable, t.now.stable, t.now.stable)
		since(&s.Canary, t.now.canary, t.now.canary)
	case t.state.Canary != nil && from.at < t.state.WarmAt:
		since(&s.Stable, t.now.stable, t.state.Stable)
		since(&s.Canary, t.now.canary, t.state.Canary)
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
