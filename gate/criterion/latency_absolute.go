package criterion

import (
	"math"
	"time"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

// absolute judges how many canary requests are slower than the user's own limit, against the share that the quantile
// allows: one-sample tables. Stable is asked only whether it breaks the limit too.
func (l *latency) absolute(q *gate.Question) gate.Finding {
	f := l.finding("ratio")
	if !q.View.Full.OK {
		return f
	}
	p := l.pace(q, fullSpan)
	l.fillAbsolute(&f, q, &p)
	switch {
	case !q.View.Warm:
		f.Reason, f.ExpectedSeconds = gate.Warmup, nil
	case p.canary.n < leastCanary:
		if q.View.Elapsed >= quietStart && q.View.Full.Canary.Judged() == 0 {
			f.Reason = gate.NoCanaryTraffic
		}
	case l.failsAlone(&f, q):
	case l.findsAlone(&f, q):
	case l.suffers(q, &p, l.hold):
		f.Reason, f.ExpectedSeconds = gate.StableUnhealthy, nil
	case p.canary.beyond(l.hold)/p.canary.n > 1-l.q:
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	case !q.Dwelled:
	case f.PassOdds < f.PassNeeds:
		f.Reason = gate.NotEnoughEvidence
	default:
		f.Verdict, f.Reason, f.ExpectedSeconds = gate.Pass, gate.Passed, new(0.)
	}
	return f
}

// beyond counts what is slower than an absolute limit.
func (t times) beyond(limit *Limit) float64 {
	return t.above(window.BinOf(time.Duration(limit.Value * float64(time.Second))))
}

// suffers reports whether stable breaks the limit too.
func (l *latency) suffers(q *gate.Question, p *paced, limit *Limit) bool {
	return q.Frozen == nil && p.stable.n >= leastCanary && p.stable.beyond(limit)/p.stable.n > 1-l.q
}

func (l *latency) failsAlone(f *gate.Finding, q *gate.Question) bool {
	if l.roll == nil || q.View.Crowds[window.All].ActiveCanary < minBuckets {
		return false
	}
	for _, s := range spans {
		p := l.pace(q, s)
		if p.canary.n < leastCanary {
			continue
		}
		nats, need := evidence.AbsFailE(1-l.q, p.canary.beyond(l.roll), p.canary.n), s.threshold(q)
		if nats < need {
			continue
		}
		f.FailOdds, f.FailNeeds, f.ExpectedSeconds = odds(nats), new(odds(need)), nil
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
		if l.suffers(q, &p, l.roll) {
			f.Verdict, f.Reason, f.Confirmed = gate.Hold, gate.StableUnhealthy, false
		}
		return true
	}
	return false
}

func (l *latency) findsAlone(f *gate.Finding, q *gate.Question) bool {
	for _, s := range [...]span{fullSpan, w300Span} {
		p := l.pace(q, s)
		if p.canary.n < leastCanary || evidence.AbsFailE(1-l.q, p.canary.beyond(l.hold), p.canary.n) < ln20 {
			continue
		}
		f.Reason, f.Confirmed, f.ExpectedSeconds = gate.WorseThanStable, true, nil
		if l.suffers(q, &p, l.hold) {
			f.Reason, f.Confirmed = gate.StableUnhealthy, false
		}
		return true
	}
	return false
}

// fillAbsolute shows the quantile as a ratio to the hold limit, which is therefore 1.
func (l *latency) fillAbsolute(f *gate.Finding, q *gate.Question, p *paced) {
	need := math.Log(1 / q.AlphaPass)
	f.HoldLimit, f.PassLimit, f.PassNeeds = 1, 1, odds(need)
	if l.roll != nil {
		f.RollbackLimit, f.FailNeeds = new(l.roll.Value/l.hold.Value), new(odds(fullSpan.threshold(q)))
		f.FailOdds = odds(evidence.AbsFailE(1-l.q, p.canary.beyond(l.roll), p.canary.n))
	}
	f.Samples = gate.Samples{Stable: count(p.stable.n), Canary: count(p.canary.n)}
	if p.stable.n > 0 {
		f.Stable, f.Samples.StableBad = ms(p.stable.bin(l.q)), count(p.stable.beyond(l.hold))
	}
	if p.canary.n == 0 {
		return
	}
	x := p.canary.beyond(l.hold)
	f.Canary, f.Samples.CanaryBad, f.Unanswered = ms(p.canary.bin(l.q)), count(x), p.canary.unanswered(l.q)
	f.Difference = f.Canary / (l.hold.Value * 1000)
	f.DifferenceLow, f.DifferenceHigh = f.Difference, f.Difference
	nats := evidence.AbsPassE(1-l.q, x, p.canary.n)
	f.PassOdds = odds(nats)
	if late := l.pace(q, w300Span); late.canary.n >= leastCanary {
		y := late.canary.beyond(l.hold)
		f.Clear = y/late.canary.n <= 1-l.q && evidence.AbsFailE(1-l.q, y, late.canary.n) < ln3
	}
	total := (need + math.Log(4)) / evidence.KL(min(x/p.canary.n, 1-l.q), 1-l.q)
	f.ExpectedSeconds = eta(p.canary.n, total, p.canary.n/max(q.View.Full.Length.Seconds(), 1), nats, need)
}

// plain compares the rolling window's quantiles, and nothing else (judge = "plain").
func (l *latency) plain(q *gate.Question) gate.Finding {
	f := l.finding("ratio")
	span := plainSpan(q)
	switch {
	case span == nil:
		return f
	case !q.View.Warm:
		f.Reason = gate.Warmup
		return f
	}
	p := l.paceOf(span, q.Frozen)
	if f.Unfit = q.Past != nil && p.stable.n < leastStable; f.Unfit {
		return f
	}
	f.HoldLimit, f.PassLimit = p.hold, p.hold
	value, stable := p.ratio, 1.0
	if l.roll != nil && !math.IsInf(p.roll, 1) {
		f.RollbackLimit = new(p.roll)
	}
	f.Samples = gate.Samples{Stable: count(p.stable.n), Canary: count(p.canary.n)}
	if p.stable.n > 0 {
		f.Stable = ms(p.stable.bin(l.q))
	}
	if p.canary.n > 0 {
		f.Canary = ms(p.canary.bin(l.q))
	}
	if l.hold.Absolute() {
		f.HoldLimit, f.PassLimit = 1, 1
		value, stable = f.Canary/(l.hold.Value*1000), f.Stable/(l.hold.Value*1000)
		if l.roll != nil {
			f.RollbackLimit = new(l.roll.Value / l.hold.Value)
		}
	}
	f.Difference, f.DifferenceLow, f.DifferenceHigh = value, value, value
	enough := p.canary.n >= float64(max(q.Plain.MinRequests, 1)) && (l.hold.Absolute() || p.stable.n >= leastStable)
	plainVerdict(&f, q, enough, p.canary.n, p.stable.n, value, stable, l.hold.Absolute() && q.Frozen == nil)
	return f
}

// LatencyLimits are the absolute limits of criteria on latencies: the edges at which they count.
func LatencyLimits(criteria []gate.Criterion) []time.Duration {
	var out []time.Duration
	for _, c := range criteria {
		l, ok := c.(*latency)
		if !ok || !l.hold.Absolute() {
			continue
		}
		for _, limit := range []*Limit{l.hold, l.roll} {
			if limit != nil {
				out = append(out, time.Duration(limit.Value*float64(time.Second)))
			}
		}
	}
	return out
}
