package control

import "time"

// Cutter breaks what is still under way on a canary to which nobody is sent any more. The data plane may be one.
type Cutter interface {
	// Cut breaks every request and tunnel on the rollout's canary pool, at once, and does nothing where something else than
	// the rollout uses the pool.
	Cut(rollout string)
}

// sends reports whether a setting sends anybody to the canary.
func (s Setting) sends() bool { return s.Weight > 0 || len(s.Audiences) > 0 || s.Mirror > 0 }

// empties notes when the last users leave the canary.
func (r *rollout) empties(next Setting) {
	switch {
	case next.sends():
		r.emptied = time.Time{}
	case r.setting.sends():
		r.emptied = time.Now()
	}
}

// cutOff breaks what is still under way on the canary when its time is over (revert.drain).
func (l *Loop) cutOff(r *rollout, now time.Time) {
	drain := r.policy.RevertDrain
	if r.emptied.IsZero() || drain <= 0 || now.Sub(r.emptied) < drain {
		return
	}
	r.emptied = time.Time{}
	if n := r.reading.CanaryInFlight; n > 0 && l.cutter != nil {
		l.log.Warn("canary's requests cut off", "rollout", r.name, "requests", n, "dur", drain)
		l.cutter.Cut(r.name)
	}
}
