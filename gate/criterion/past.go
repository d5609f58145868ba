package criterion

import (
	"math"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

// needed is how many canary requests a pass typically takes. Against an endless stable it grows as long as the canary does;
// a ring's own past is over, and each canary request is worth nS/(n+nS) as much.
func needed(q *gate.Question, p, m, share, effect, nS float64) float64 {
	if q.Past == nil {
		return evidence.PassNeeds(p, m, share, effect, q.AlphaPass)
	}
	n := evidence.PassNeeds(p, m, 0, effect, q.AlphaPass)
	if !(n < nS) {
		return math.Inf(1)
	}
	return n / (1 - n/nS)
}

// scant reports whether a ring's past is too little for a pass to come within twice the requests that an endless one would ask
// for: then the gate would hold for ever, whatever the canary does.
func scant(q *gate.Question, n, nS float64) bool { return q.Past != nil && !(2*n <= nS) }

// short reports whether the own past is too little for this gate.
func (r *rate) short(s *sight) bool {
	if s.q.Past == nil {
		return false
	}
	past := s.raw[fullSpan]
	effect := max(s.q.Past.Effect[r.kind], 1)
	m := Margin(s.hold, s.roll, s.q.NextShare)
	return past.NS < minRequests || scant(s.q, evidence.PassNeeds(rateOf(past.XS, past.NS), m, 0, effect, s.q.AlphaPass), past.NS)
}

// short reports whether the own past is too little for this gate.
func (l *latency) short(q *gate.Question, p *paced) bool {
	if q.Past == nil {
		return false
	}
	if p.stable.n < leastStable || p.edge < 0 {
		return true
	}
	m := window.Shift(1 + Margin(p.hold-1, p.roll-1, q.NextShare))
	b, a := p.stable.above(p.edge)/p.stable.n, p.stable.above(p.edge+m)/p.stable.n
	return scant(q, evidence.PassNeeds(a, b-a, 0, 1, q.AlphaPass), p.stable.n)
}
