package criterion

import (
	"math"
	"time"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

const (
	leastCanary = 50  // timed canary requests before a quantile means anything
	leastStable = 200 // and of stable
)

// latency judges the q-quantile of the time to the response's head, by counting how many are beyond an edge of the
// histogram: the same table as a rate's (gate.md, section 4).
type latency struct {
	rule
	q float64
}

func newLatency(q float64) func(Spec) (gate.Criterion, error) {
	return func(s Spec) (gate.Criterion, error) {
		r, err := newComparison(s, `"stable * 1.10", "stable + 20ms" or "300ms"`, Factor, Delay, Time)
		if err != nil {
			return nil, err
		}
		return &latency{r, q}, nil
	}
}

// Judge implements gate.Criterion.
func (l *latency) Judge(q gate.Question) gate.Finding {
	switch {
	case q.Plain != nil:
		return l.plain(&q)
	case l.hold.Absolute():
		return l.absolute(&q)
	}
	return l.relative(&q)
}

// times are one arm's latencies: a histogram, and beyond its last edge the clients that lost patience, so that patience
// does not hide a slow answer.
type times struct {
	hist *window.Hist
	slow float64
	n    float64
}

// timesOf reads both arms of a span. An abort is slow when it waited longer than stable's 99th percentile.
func timesOf(span *window.Span, frozen *window.Snapshot) (canary, stable times) {
	st := stableOf(span, frozen)
	patience := st.Latency.QuantileBin(.99)
	read := func(s *window.Snapshot) times {
		t := times{hist: &s.Latency, n: float64(s.Latency.Count())}
		if patience >= 0 {
			t.slow = float64(s.Aborts.Above(patience))
			t.n += t.slow
		}
		return t
	}
	return read(&span.Canary), read(st)
}

// above counts what is beyond bin i.
func (t times) above(i int) float64 { return float64(t.hist.Above(i)) + t.slow }

// bin holds the q-quantile; -1 where there is none.
func (t times) bin(q float64) int {
	if t.n == 0 {
		return -1
	}
	timed := t.n - t.slow
	if rank := window.Rank(q, t.n); float64(rank) <= timed && timed > 0 {
		return t.hist.RankBin(rank)
	}
	return window.Bins - 1
}

// unanswered reports whether the q-quantile is among those who lost patience.
func (t times) unanswered(q float64) bool {
	return t.slow > 0 && float64(window.Rank(q, t.n)) > t.n-t.slow
}

// paced is one span of a relative latency gate.
type paced struct {
	ok             bool
	canary, stable times
	edge           int     // the bin that holds stable's quantile
	ratio          float64 // of the canary's quantile to it
	hold, roll     float64 // ratios; roll is infinite where there is none
}

func (l *latency) pace(q *gate.Question, s span) paced {
	v := q.View
	of := [...]*window.Span{&v.Full, &v.W300, &v.W60}[s]
	if !of.OK || s != fullSpan && v.Elapsed <= s.length() {
		return paced{}
	}
	return l.paceOf(of, q.Frozen)
}

func (l *latency) paceOf(of *window.Span, frozen *window.Snapshot) paced {
	p := paced{roll: math.Inf(1)}
	p.canary, p.stable = timesOf(of, frozen)
	p.ok = p.canary.n >= leastCanary && p.stable.n >= leastStable
	p.edge = p.stable.bin(l.q)
	if p.edge < 0 {
		p.hold = l.ratio(l.hold, time.Second)
		return p
	}
	at := window.Edge(min(p.edge, window.Bins-2))
	p.hold = l.ratio(l.hold, at)
	if l.roll != nil {
		p.roll = max(p.hold, l.ratio(l.roll, at))
	}
	if p.canary.n > 0 {
		p.ratio = window.Ratio(p.canary.bin(l.q) - p.edge)
	}
	return p
}

// above reports whether the estimate, as a person reads it, is over the hold limit. (Evidence counts from the nearest bin.)
func (p *paced) above() bool { return p.ratio > p.hold*(1+rounding) }

// broken reports whether the estimate has reached the rollback limit.
func (p *paced) broken() bool { return p.ratio >= p.roll*(1-rounding) }

// ratio is one relative limit as a ratio at stable's quantile.
func (l *latency) ratio(limit *Limit, stable time.Duration) float64 {
	if limit.Form == Delay {
		return 1 + limit.Value/stable.Seconds()
	}
	return limit.Value
}

// table holds the exceedances: canary beyond r times the edge, stable beyond the edge.
func (p *paced) table(shift int) evidence.Table {
	return evidence.Table{XC: p.canary.above(p.edge + shift), NC: p.canary.n, XS: p.stable.above(p.edge), NS: p.stable.n}
}

func (p *paced) failE(ratio float64) float64 { return evidence.FailE(0, p.table(window.Shift(ratio))) }

// passE is the evidence that the canary is not m times as slow; the alternatives are what an equal canary would show.
func (p *paced) passE(shift int) float64 {
	b, a := p.stable.above(p.edge)/p.stable.n, p.stable.above(p.edge+shift)/p.stable.n
	return evidence.LatencyPassE(a, b, p.table(shift))
}

func (l *latency) relative(q *gate.Question) gate.Finding {
	f := l.finding("ratio")
	p := l.pace(q, fullSpan)
	if !q.View.Full.OK {
		return f
	}
	if f.Unfit = l.short(q, &p); f.Unfit {
		return f
	}
	l.fill(&f, q, &p)
	if l.tooFew(&f, q, &p) {
		return f
	}
	switch {
	case l.fails(&f, q):
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case l.finds(&f, q):
		f.Reason, f.Confirmed, f.ExpectedSeconds = gate.WorseThanStable, true, nil
	case p.above():
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	case !q.Dwelled:
	case f.PassOdds < f.PassNeeds:
		f.Reason = gate.NotEnoughEvidence
	case l.contradicted(&f, q):
		f.Reason, f.ExpectedSeconds = gate.EstimateAboveHold, nil
	default:
		f.Verdict, f.Reason, f.ExpectedSeconds = gate.Pass, gate.Passed, new(0.)
	}
	return f
}

// contradicted reports whether the last minutes speak against what the full step says, as for a rate.
func (l *latency) contradicted(f *gate.Finding, q *gate.Question) bool {
	for _, s := range [...]span{w300Span, w60Span} {
		if p := l.pace(q, s); p.ok && p.above() && p.failE(p.hold) >= ln3 {
			l.show(f, s, &p)
			return true
		}
	}
	return false
}

// tooFew says why there is nothing to judge yet.
func (l *latency) tooFew(f *gate.Finding, q *gate.Question, p *paced) bool {
	switch {
	case !q.View.Warm:
		f.Reason, f.ExpectedSeconds = gate.Warmup, nil
	case p.ok:
		return false
	case p.canary.n == 0 && q.View.Elapsed >= quietStart && q.View.Full.Canary.Judged() == 0:
		f.Reason = gate.NoCanaryTraffic
	case p.stable.n == 0 && q.View.Elapsed >= quietStart && stableOf(&q.View.Full, q.Frozen).Judged() == 0:
		f.Reason = gate.NoStableTraffic
	case q.Dwelled:
		f.Reason = gate.NotEnoughEvidence
	}
	f.ExpectedSeconds = p.enough(q, f.ExpectedSeconds)
	return true
}

// enough is the expected time until both arms have the answers that it takes to look at them, and at least otherwise,
// where that is known; nil: not in sight.
func (p *paced) enough(q *gate.Question, otherwise *float64) *float64 {
	length, wait := q.View.Full.Length.Seconds(), 0.
	if otherwise != nil {
		wait = *otherwise
	}
	for _, arm := range [...]struct{ n, least float64 }{{p.canary.n, leastCanary}, {p.stable.n, leastStable}} {
		if arm.n >= arm.least {
			continue
		}
		if arm.n == 0 || q.Frozen != nil && arm.least == leastStable {
			return nil
		}
		wait = max(wait, (arm.least-arm.n)*length/arm.n)
	}
	return new(wait)
}

func (l *latency) fails(f *gate.Finding, q *gate.Question) bool {
	if l.roll == nil || q.View.Crowds[window.All].ActiveCanary < minBuckets {
		return false
	}
	for _, s := range spans {
		p := l.pace(q, s)
		if !p.ok || !p.broken() {
			continue
		}
		if nats, need := p.failE(p.hold), s.threshold(q); nats >= need {
			l.show(f, s, &p)
			f.FailOdds, f.FailNeeds, f.ExpectedSeconds = odds(nats), new(odds(need)), nil
			return true
		}
	}
	return false
}

func (l *latency) finds(f *gate.Finding, q *gate.Question) bool {
	for _, s := range [...]span{fullSpan, w300Span} {
		p := l.pace(q, s)
		if p.ok && p.above() && p.failE(p.hold) >= ln20 {
			l.show(f, s, &p)
			return true
		}
	}
	return false
}

// fill shows everything the answer rests on.
func (l *latency) fill(f *gate.Finding, q *gate.Question, p *paced) {
	f.HoldLimit, f.PassLimit, f.PassNeeds = p.hold, p.hold, odds(math.Log(1/q.AlphaPass))
	if l.roll != nil && !math.IsInf(p.roll, 1) {
		f.RollbackLimit, f.FailNeeds = new(p.roll), new(odds(fullSpan.threshold(q)))
	}
	l.show(f, fullSpan, p)
	if p.edge < 0 || p.canary.n == 0 {
		return
	}
	if !q.Terse {
		f.DifferenceLow, f.DifferenceHigh = p.bounds()
	}
	t := p.table(0)
	m := 1 + Margin(p.hold-1, p.roll-1, q.NextShare)
	nats := p.passE(window.Shift(m))
	f.PassLimit, f.PassOdds = m, odds(nats)
	if l.roll != nil {
		f.FailOdds = odds(p.failE(p.hold))
	}
	f.Clear = !p.ok || !p.above() // too few in the window: what the step says
	if late := l.pace(q, w300Span); late.ok {
		f.Clear = !late.above() && late.failE(late.hold) < ln3
	}
	b, a := p.stable.above(p.edge)/p.stable.n, p.stable.above(p.edge+window.Shift(m))/p.stable.n
	if a < b {
		total := needed(q, a, b-a, fraction(t), 1, p.stable.n)
		f.ExpectedSeconds = eta(p.canary.n, total, p.canary.n/max(q.View.Full.Length.Seconds(), 1), nats, math.Log(1/q.AlphaPass))
	}
}

// show gives a finding the numbers of the span it rests on.
func (l *latency) show(f *gate.Finding, s span, p *paced) {
	f.WindowSeconds = s.length().Seconds()
	f.Samples = gate.Samples{Stable: count(p.stable.n), Canary: count(p.canary.n)}
	if p.edge < 0 || p.canary.n == 0 {
		return
	}
	t := p.table(0)
	f.Samples.StableBad, f.Samples.CanaryBad = count(t.XS), count(t.XC)
	f.Stable, f.Canary, f.Difference = ms(p.edge), ms(p.canary.bin(l.q)), p.ratio
	f.Unanswered = p.canary.unanswered(l.q)
}

func ms(bin int) float64 {
	return float64(window.Edge(min(bin, window.Bins-2))) / float64(time.Millisecond)
}

// widest is how far bounds look, in bins: a factor of about 10 either way.
const widest = 120

// bounds are the 95 % interval of the ratio: from the largest that is refuted as too small to the smallest that is
// refuted as too large.
func (p *paced) bounds() (low, high float64) {
	lo, hi := -widest, widest
	for lo < hi { // the first shift that is not exceeded too often
		if mid := (lo + hi) >> 1; evidence.FailE(0, p.table(mid)) >= ln20 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	low = window.Ratio(lo - 1)
	lo, hi = 0, widest
	for lo < hi { // the first shift that is exceeded less often than an equal canary may
		if mid := (lo + hi) >> 1; p.passE(mid) >= ln20 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return min(low, p.ratio), max(window.Ratio(lo), p.ratio)
}
