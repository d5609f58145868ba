package criterion

import (
	"math"
	"time"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

// rate judges a share of requests: x bad of n on both arms.
type rate struct {
	rule
	kind window.Kind
}

func newRate(s Spec, k window.Kind) (gate.Criterion, error) {
	r, err := newComparison(s, `"stable + 0.5pt", "stable * 1.10" or "1%"`, Points, Factor, Share)
	if err != nil {
		return nil, err
	}
	return &rate{r, k}, nil
}

// Judge implements gate.Criterion.
func (r *rate) Judge(q gate.Question) gate.Finding {
	switch {
	case q.Plain != nil:
		return r.plain(&q)
	case r.hold.Absolute():
		return r.absolute(&q)
	}
	return r.relative(&q)
}

// limits are the hold and rollback limits as differences, at stable's rate; the latter is infinite where there is none.
func (r *rate) limits(stable float64) (hold, roll float64) {
	hold, roll = r.harm(r.hold, stable), math.Inf(1)
	if r.roll != nil {
		roll = max(hold, r.harm(r.roll, stable))
	}
	return hold, roll
}

// harm is one relative limit as a difference of rates.
func (r *rate) harm(l *Limit, stable float64) float64 {
	if l.Form == Factor {
		return max(r.floor, (l.Value-1)*stable)
	}
	return max(r.floor, l.Value)
}

// table is what a span shows, in raw counts.
func (r *rate) table(s *window.Span, frozen *window.Snapshot) evidence.Table {
	c, st := s.Canary.Counts(r.kind), stableOf(s, frozen).Counts(r.kind)
	return evidence.Table{XC: c.X, NC: c.N, XS: st.X, NS: st.N}
}

// sight is one relative gate at one tick, worked out once: the tables, the limits, the users' guards.
type sight struct {
	q          *gate.Question
	crowd      *window.Crowd
	effect     float64
	ok         [len(spans)]bool
	raw        [len(spans)]evidence.Table // whole
	sure       [len(spans)]evidence.Table // without the worst bucket of each arm, divided by the design effect
	hold, roll float64
}

func (r *rate) look(q *gate.Question) *sight {
	v := q.View
	s := &sight{q: q, crowd: &v.Crowds[r.kind]}
	s.effect = max(s.crowd.DesignEffect, 1)
	if q.Past != nil {
		s.effect = max(s.effect, q.Past.Effect[r.kind])
	}
	for i, of := range [...]*window.Span{&v.Full, &v.W300, &v.W60} {
		s.ok[i] = of.OK && (spans[i] == fullSpan || v.Elapsed > spans[i].length())
		if !s.ok[i] {
			continue
		}
		s.raw[i] = r.table(of, q.Frozen)
		s.sure[i] = without(s.raw[i], s.raw[fullSpan], s.crowd, q.Frozen == nil).Div(s.effect)
	}
	s.hold, s.roll = r.limits(rateOf(s.raw[fullSpan].XS, s.raw[fullSpan].NS))
	return s
}

// without takes each arm's worst bucket out of a table; out of a window in proportion to what it has of the full step.
func without(t, full evidence.Table, c *window.Crowd, stable bool) evidence.Table {
	t.XC, t.NC = less(t.XC, t.NC, full.XC, full.NC, c.WorstCanary)
	if stable {
		t.XS, t.NS = less(t.XS, t.NS, full.XS, full.NS, c.WorstStable)
	}
	return t
}

func less(x, n, fullX, fullN float64, worst window.Counts) (float64, float64) {
	if fullX > 0 {
		x = max(x-worst.X*x/fullX, 0)
	}
	if fullN > 0 {
		n = max(n-worst.N*n/fullN, x)
	}
	return x, n
}

func rateOf(x, n float64) float64 {
	if n <= 0 {
		return 0
	}
	return x / n
}

func (r *rate) relative(q *gate.Question) gate.Finding {
	f := r.finding("points")
	if !q.View.Full.OK {
		return f
	}
	s := r.look(q)
	full := s.raw[fullSpan]
	if f.Unfit = r.short(s); f.Unfit {
		return f
	}
	r.fill(&f, s)
	switch {
	case full.NC == 0:
		if q.View.Elapsed >= quietStart {
			f.Reason = gate.NoCanaryTraffic
		}
	case full.NS == 0:
		if q.View.Elapsed >= quietStart {
			f.Reason = gate.NoStableTraffic
		}
	case s.fails(&f):
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case s.finds(&f):
	default:
		r.pass(&f, s)
	}
	return f
}

// fails asks the three spans, and shows the one that fails.
func (s *sight) fails(f *gate.Finding) bool {
	if f.RollbackLimit == nil {
		return false
	}
	for i, t := range s.raw {
		if !s.ok[i] || t.Diff() < s.roll-rounding {
			continue
		}
		nats, need := evidence.FailE(s.hold/2, s.sure[i]), spans[i].threshold(s.q)
		if nats >= need && s.crowd.BadBuckets >= minBuckets {
			s.show(f, spans[i])
			f.FailOdds, f.FailNeeds, f.ExpectedSeconds = odds(nats), new(odds(need)), nil
			return true
		}
	}
	return false
}

// finds looks for a confirmed finding; one that rests on a single bucket is a question for a person, not a finding.
func (s *sight) finds(f *gate.Finding) bool {
	for _, i := range [...]span{fullSpan, w300Span} {
		t := s.raw[i]
		if !s.ok[i] || t.Diff() <= s.hold || evidence.FailE(0, t.Div(s.effect)) < ln20 {
			continue
		}
		s.show(f, i)
		f.Reason, f.Confirmed, f.ExpectedSeconds = gate.WorseThanStable, true, nil
		if evidence.FailE(0, s.sure[i]) < ln20 {
			f.Reason, f.Confirmed = s.alone(), false
		}
		return true
	}
	return false
}

// alone is why a finding that does not stand without its worst bucket is none: one user dominates, or, where the bucket
// has no large part of the errors, there is just too little evidence yet.
func (s *sight) alone() gate.Reason {
	if s.crowd.WorstShare >= dominance || s.crowd.BadBuckets < minBuckets {
		return gate.OneBucketDominates
	}
	return gate.EstimateAboveHold
}

// show gives a finding the numbers of the span it rests on.
func (s *sight) show(f *gate.Finding, i span) {
	t := s.raw[i]
	table := t.Div(s.effect)
	f.WindowSeconds = i.length().Seconds()
	f.Stable, f.Canary, f.Difference = rateOf(t.XS, t.NS), rateOf(t.XC, t.NC), t.Diff()
	f.Samples = gate.Samples{Stable: count(t.NS), StableBad: count(t.XS), Canary: count(t.NC), CanaryBad: count(t.XC)}
	if !s.q.Terse {
		f.DifferenceLow, f.DifferenceHigh = evidence.Lower(table), evidence.Upper(table)
	}
}

// clear reports whether the last 300 s have nothing left of a finding.
func (s *sight) clear() bool {
	t := s.raw[w300Span]
	return s.ok[w300Span] && t.NC > 0 && t.Diff() <= s.hold && evidence.FailE(0, t.Div(s.effect)) < ln3
}

func (r *rate) pass(f *gate.Finding, s *sight) {
	full := s.raw[fullSpan]
	switch {
	case full.Diff() > s.hold:
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	case r.felt(s):
		f.Reason, f.ExpectedSeconds, f.LeftOut = gate.EstimateAboveHold, nil, true
	case full.NC < minRequests:
	case f.PassOdds < f.PassNeeds:
		f.Reason = gate.NotEnoughEvidence
		if r.saturated(s) {
			f.Reason, f.ExpectedSeconds = gate.SaturatedUsers, nil
		}
	case !s.q.Dwelled:
		f.ExpectedSeconds = new(0.)
	case s.contradicted(f):
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	default:
		f.Verdict, f.Reason, f.ExpectedSeconds = gate.Pass, gate.Passed, new(0.)
	}
	if f.Verdict != gate.Pass && f.Reason == gate.NotEnoughEvidence && !s.q.Dwelled {
		f.Reason = gate.Collecting
	}
}

// contradicted reports whether the last minutes speak against what the full step says: their estimate is above the hold
// limit with a trace of evidence. It shows the window that does.
func (s *sight) contradicted(f *gate.Finding) bool {
	for _, i := range [...]span{w300Span, w60Span} {
		if t := s.raw[i]; s.ok[i] && t.Diff() > s.hold && evidence.FailE(0, t.Div(s.effect)) >= ln3 {
			s.show(f, i)
			return true
		}
	}
	return false
}

// felt reports whether all users together, those with masked buckets too, suffer what would roll back: no evidence, but
// nothing to widen on either.
func (r *rate) felt(s *sight) bool {
	v := s.q.View
	if s.q.Frozen != nil {
		return false
	}
	c, st := v.Full.Canary.Everyone(r.kind), v.Full.Stable.Everyone(r.kind)
	limit := s.roll
	if math.IsInf(limit, 1) {
		limit = passCap * s.hold
	}
	return c.N >= minRequests && c.Rate()-st.Rate() > limit
}

// saturated reports whether more time brings no more evidence: requests still come, but n/D has grown by less than a
// twentieth over the last doubling of the time, because few users make them all.
func (r *rate) saturated(s *sight) bool {
	then := s.q.View.EffectiveThen
	return r.kind == window.BadKind && then > 0 && s.effect >= 2 && s.q.View.Elapsed >= 10*time.Minute &&
		s.raw[w300Span].NC > 0 && s.raw[fullSpan].NC/s.effect < 1.05*then
}

// fill shows everything the answer rests on.
func (r *rate) fill(f *gate.Finding, s *sight) {
	full := s.raw[fullSpan]
	table := full.Div(s.effect)
	m := Margin(s.hold, s.roll, s.q.NextShare)
	need := math.Log(1 / s.q.AlphaPass)
	nats := evidence.PassE(m, table)
	s.show(f, fullSpan)
	f.HoldLimit, f.PassLimit, f.PassOdds, f.PassNeeds = s.hold, m, odds(nats), odds(need)
	if r.roll != nil {
		f.RollbackLimit = new(s.roll)
		f.FailOdds = odds(evidence.FailE(s.hold/2, s.sure[fullSpan]))
		f.FailNeeds = new(odds(fullSpan.threshold(s.q)))
	}
	f.WorstShare = s.crowd.WorstShare
	f.Clear = s.clear()
	total := needed(s.q, rateOf(full.XS, full.NS), m, fraction(full), s.effect, full.NS)
	f.ExpectedSeconds = eta(full.NC, total, s.perSecond(), nats, need)
}

// perSecond is the canary's evidence per second lately.
func (s *sight) perSecond() float64 {
	if s.ok[w300Span] && s.raw[w300Span].NC > 0 {
		return s.raw[w300Span].NC / spans[w300Span].length().Seconds()
	}
	if s.q.View.Elapsed <= 0 {
		return 0
	}
	return s.raw[fullSpan].NC / s.q.View.Elapsed.Seconds()
}
