package replay

import (
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
)

// slack is how much younger than a window's length a look may be: ticks come early and late.
const slack = 500 * time.Millisecond

// seenOf is what the gate saw at a look: the rolling windows are differences to earlier looks of the same step.
func seenOf(windows []journal.Window, i int, p *gate.Policy) gate.Seen {
	w := &windows[i]
	v := window.View{Elapsed: w.Age, Warm: w.Warm, Before: w.Before, EffectiveThen: w.EffectiveThen}
	copy(v.Crowds[:], w.Crowds)
	for k := range v.Crowds {
		v.Crowds[k].DesignEffect = max(v.Crowds[k].DesignEffect, 1)
	}
	v.Full = window.Span{OK: true, Length: w.Age, Stable: w.Stable, Canary: w.Canary}
	v.W300 = span(windows, i, window.Long)
	v.W60 = span(windows, i, window.Short)
	v.Recent = span(windows, i, 5*time.Second)
	if p.Plain != nil {
		v.Plain = span(windows, i, p.Plain.Window)
	}
	return gate.Seen{
		View: v, StableHealthy: w.StableHealthy, CanaryHealthy: w.CanaryHealthy, WindowOpen: true, JournalAvailable: true,
		ObservedWeight: w.Observed,
	}
}

// span is the stretch since the newest look of the step that is d old, or since its beginning where that is just as old.
func span(windows []journal.Window, i int, d time.Duration) window.Span {
	w := &windows[i]
	for k := i - 1; k >= 0 && windows[k].Step == w.Step; k-- {
		if old := &windows[k]; w.Age-old.Age >= d-slack {
			out := window.Span{OK: true, Length: w.Age - old.Age, Stable: w.Stable, Canary: w.Canary}
			out.Stable.Sub(&old.Stable)
			out.Canary.Sub(&old.Canary)
			return out
		}
	}
	if w.Age < d-slack {
		return window.Span{}
	}
	return window.Span{OK: true, Length: w.Age, Stable: w.Stable, Canary: w.Canary}
}
