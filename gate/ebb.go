package gate

import (
	"time"

	"serin/router"
)

// Sent is the share of the users that is on the canary: the decided weight, or what a gradual return has left of it.
func (s State) Sent() router.Weight { return max(s.Weight, s.Ebb.Weight) }

// ebb takes a gradual return further down. A canary that is dead, or has no healthy server, gets nobody any more.
func (t *turn) ebb(seen *Seen) {
	e := &t.s.Ebb
	if e.Weight == 0 {
		return
	}
	if !t.was.Last.IsZero() {
		e.Spent += min(max(t.now.Sub(t.was.Last), 0), longestTick)
	}
	if e.Spent >= t.p.RevertOver || !seen.CanaryHealthy || dead(seen) {
		*e = Ebb{}
		return
	}
	left := 1 - float64(e.Spent)/float64(t.p.RevertOver)
	e.Weight = min(e.Weight, router.Weight(float64(e.From)*left))
}

// EbbLeft is how long a gradual return goes on; 0 where there is none.
func EbbLeft(s State, p *Policy) time.Duration {
	if s.Ebb.Weight == 0 {
		return 0
	}
	return until(p.RevertOver, s.Ebb.Spent)
}

// cutShort is a second rollback: whoever is still on the canary goes now.
func (t *turn) cutShort() (State, Decision) {
	from := t.s.Ebb.Weight
	t.s.Ebb = Ebb{}
	_, d := t.end(ActRollback, Manual)
	d.From = from
	return t.s, d
}

// over is how long a rollback takes, where it is not done at once.
func over(d *Decision) string {
	if d.Over == 0 {
		return ""
	}
	return ", over " + Span(d.Over)
}
