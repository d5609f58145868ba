package criterion

import (
	"math"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

// absolute judges the canary against the user's own numbers with one-sample tables, which are exact. Stable is asked only
// whether it breaks them too: then it is no fault of the canary's.
func (r *rate) absolute(q *gate.Question) gate.Finding {
	f := r.finding("points")
	if !q.View.Full.OK {
		return f
	}
	s := r.look(q)
	s.hold, s.roll = r.hold.Value, math.Inf(1)
	if r.roll != nil {
		s.roll = max(s.hold, r.roll.Value)
	}
	full := s.raw[fullSpan]
	r.fillAbsolute(&f, s)
	switch {
	case full.NC == 0:
		if q.View.Elapsed >= quietStart {
			f.Reason = gate.NoCanaryTraffic
		}
	case s.failsAlone(&f):
	case s.findsAlone(&f):
	case q.Frozen == nil && s.suffers(fullSpan, s.hold):
		f.Reason, f.ExpectedSeconds = gate.StableUnhealthy, nil
	case rateOf(full.XC, full.NC) > s.hold:
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	case full.NC < minRequests || !q.Dwelled:
	case f.PassOdds < f.PassNeeds:
		f.Reason = gate.NotEnoughEvidence
	default:
		f.Verdict, f.Reason, f.ExpectedSeconds = gate.Pass, gate.Passed, new(0.)
	}
	return f
}

// suffers reports whether stable breaks the limit too, by its estimate from enough requests or by a first trace of evidence.
func (s *sight) suffers(i span, limit float64) bool {
	t := s.raw[i]
	return rateOf(t.XS, t.NS) > limit && (t.NS >= minRequests || evidence.AbsFailE(limit, t.XS, t.NS) >= ln3)
}

func (s *sight) failsAlone(f *gate.Finding) bool {
	if f.RollbackLimit == nil || s.crowd.BadBuckets < minBuckets {
		return false
	}
	for i, t := range s.raw {
		if !s.ok[i] || rateOf(t.XC, t.NC) < s.roll-rounding {
			continue
		}
		nats, need := evidence.AbsFailE(s.roll, s.sure[i].XC, s.sure[i].NC), spans[i].threshold(s.q)
		if nats < need {
			continue
		}
		s.showAlone(f, spans[i])
		f.FailOdds, f.FailNeeds, f.ExpectedSeconds = odds(nats), new(odds(need)), nil
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
		if s.q.Frozen == nil && s.suffers(span(i), s.roll) {
			f.Verdict, f.Reason, f.Confirmed = gate.Hold, gate.StableUnhealthy, false
		}
		return true
	}
	return false
}

func (s *sight) findsAlone(f *gate.Finding) bool {
	for _, i := range [...]span{fullSpan, w300Span} {
		t := s.raw[i].Div(s.effect)
		if !s.ok[i] || evidence.AbsFailE(s.hold, t.XC, t.NC) < ln20 {
			continue
		}
		s.showAlone(f, i)
		f.Reason, f.Confirmed, f.ExpectedSeconds = gate.WorseThanStable, true, nil
		switch {
		case s.q.Frozen == nil && s.suffers(i, s.hold):
			f.Reason, f.Confirmed = gate.StableUnhealthy, false
		case evidence.AbsFailE(s.hold, s.sure[i].XC, s.sure[i].NC) < ln20:
			f.Reason, f.Confirmed = s.alone(), false
		}
		return true
	}
	return false
}

// showAlone gives a finding the numbers of the span it rests on: the canary's own rate is the difference.
func (s *sight) showAlone(f *gate.Finding, i span) {
	t := s.raw[i]
	table := t.Div(s.effect)
	f.WindowSeconds = i.length().Seconds()
	f.Stable, f.Canary, f.Difference = rateOf(t.XS, t.NS), rateOf(t.XC, t.NC), rateOf(t.XC, t.NC)
	f.Samples = gate.Samples{Stable: count(t.NS), StableBad: count(t.XS), Canary: count(t.NC), CanaryBad: count(t.XC)}
	if !s.q.Terse {
		f.DifferenceLow, f.DifferenceHigh = evidence.AbsLower(table.XC, table.NC), evidence.AbsUpper(table.XC, table.NC)
	}
}

// fillAbsolute shows the canary's own rate where a relative gate shows the difference.
func (r *rate) fillAbsolute(f *gate.Finding, s *sight) {
	full := s.raw[fullSpan]
	t := full.Div(s.effect)
	m := min(Margin(s.hold, s.roll, s.q.NextShare), .99)
	need := math.Log(1 / s.q.AlphaPass)
	nats := evidence.AbsPassE(m, t.XC, t.NC)
	s.showAlone(f, fullSpan)
	f.HoldLimit, f.PassLimit, f.PassOdds, f.PassNeeds = s.hold, m, odds(nats), odds(need)
	if r.roll != nil {
		f.RollbackLimit = new(s.roll)
		f.FailOdds = odds(evidence.AbsFailE(s.roll, s.sure[fullSpan].XC, s.sure[fullSpan].NC))
		f.FailNeeds = new(odds(fullSpan.threshold(s.q)))
	}
	f.WorstShare = s.crowd.WorstShare
	late := s.raw[w300Span].Div(s.effect)
	f.Clear = s.ok[w300Span] && late.NC > 0 && late.XC/late.NC <= s.hold && evidence.AbsFailE(s.hold, late.XC, late.NC) < ln3
	total := s.effect * (need + math.Log(4)) / evidence.KL(min(f.Canary, m), m)
	f.ExpectedSeconds = eta(full.NC, total, s.perSecond(), nats, need)
}

// plain compares a rolling window with the limits, and nothing else (judge = "plain").
func (r *rate) plain(q *gate.Question) gate.Finding {
	f := r.finding("points")
	span := plainSpan(q)
	if span == nil {
		return f
	}
	t := r.table(span, q.Frozen)
	if f.Unfit = q.Past != nil && t.NS < float64(max(q.Plain.MinRequests, minRequests)); f.Unfit {
		return f
	}
	hold, roll := r.limits(rateOf(t.XS, t.NS))
	value, stable := t.Diff(), 0.0
	if r.hold.Absolute() {
		hold, roll = r.hold.Value, math.Inf(1)
		if r.roll != nil {
			roll = max(hold, r.roll.Value)
		}
		value, stable = rateOf(t.XC, t.NC), rateOf(t.XS, t.NS)
	}
	f.Stable, f.Canary, f.Difference = rateOf(t.XS, t.NS), rateOf(t.XC, t.NC), value
	f.DifferenceLow, f.DifferenceHigh, f.HoldLimit, f.PassLimit = value, value, hold, hold
	if r.roll != nil {
		f.RollbackLimit = new(roll)
	}
	f.Samples = gate.Samples{Stable: count(t.NS), StableBad: count(t.XS), Canary: count(t.NC), CanaryBad: count(t.XC)}
	enough := t.NC >= float64(max(q.Plain.MinRequests, 1)) && (r.hold.Absolute() || t.NS > 0)
	plainVerdict(&f, q, enough, t.NC, t.NS, value, stable, r.hold.Absolute() && q.Frozen == nil)
	return f
}

// plainVerdict is the simple judge's rule; together says that a limit which stable breaks too is not the canary's fault.
func plainVerdict(f *gate.Finding, q *gate.Question, enough bool, nC, nS, value, stable float64, together bool) {
	late := q.View.Elapsed >= quietStart
	switch {
	case !enough && nC == 0 && late:
		f.Reason = gate.NoCanaryTraffic
	case !enough && nS == 0 && late && !f.Absolute:
		f.Reason = gate.NoStableTraffic
	case !enough:
	case f.RollbackLimit != nil && value >= *f.RollbackLimit-rounding && !(together && stable >= *f.RollbackLimit-rounding):
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case together && stable > f.HoldLimit:
		f.Reason = gate.StableUnhealthy
	case value > f.HoldLimit+rounding:
		f.Reason, f.Confirmed = gate.EstimateAboveHold, true
	case !q.Dwelled:
		f.Clear = true
	default:
		f.Verdict, f.Reason, f.Clear = gate.Pass, gate.Passed, true
	}
}

// plainSpan is the rolling window of the plain judge: what was asked for, and until the step is as old as that, all of it.
func plainSpan(q *gate.Question) *window.Span {
	v := q.View
	near := &v.W300
	if 2*q.Plain.Window <= w60Span.length()+w300Span.length() {
		near = &v.W60
	}
	switch {
	case v.Plain.OK:
		return &v.Plain
	case v.Elapsed < q.Plain.Window && v.Full.OK:
		return &v.Full
	case near.OK:
		return near
	}
	return nil
}
