package experiment

import (
	"math"
	"time"

	"serin/gate/evidence"
	"serin/gate/window"
)

// Result is one arm's line of the table. Rates are fractions, differences those of the arm minus the control's, intervals
// hold with 95 %.
type Result struct {
	Users            int // buckets with a request
	Requests, Errors uint64
	Rate             float64 // errors of the requests
	Low, High        float64 // of Rate
	Difference       float64 // in errors; the control's is 0
	DifferenceLow    float64
	DifferenceHigh   float64
	DesignEffect     float64 // how alike one user's requests are
	P50, P99         time.Duration
	P50Change        Change
	P99Change        Change
}

// Change is a difference of quantiles, arm minus control, with its interval. Not Known: too few answers.
type Change struct {
	Known            bool
	Value, Low, High time.Duration
}

// Results is the table, the control first. Snapshots carry users; mask's buckets are left out of the evidence.
//
// The differences in errors are the gates' own: anytime-valid, divided by the design effect. Those of the quantiles are from
// order statistics with the square-and-add rule (Newcombe, 1998; Zou and Donner, 2008), at three standard errors, because the
// table is looked at again and again.
func Results(arms []*window.Snapshot, mask *window.Mask) []Result {
	out := make([]Result, len(arms))
	control := arms[0]
	for i, arm := range arms {
		crowd := window.CrowdOf(window.BadKind, control.Users, arm.Users, mask)
		counts, base := arm.Counts(window.BadKind), control.Counts(window.BadKind)
		effect := max(crowd.DesignEffect, 1)
		r := Result{
			Users: crowd.ActiveCanary, Requests: uint64(counts.N), Errors: uint64(counts.X), Rate: counts.Rate(), DesignEffect: effect,
			Low: evidence.AbsLower(counts.X/effect, counts.N/effect), High: evidence.AbsUpper(counts.X/effect, counts.N/effect),
			P50: arm.Latency.Quantile(.5), P99: arm.Latency.Quantile(.99),
		}
		if i > 0 {
			t := evidence.Table{XC: counts.X, NC: counts.N, XS: base.X, NS: base.N}
			r.Difference = t.Diff()
			r.DifferenceLow, r.DifferenceHigh = evidence.Lower(t.Div(effect)), evidence.Upper(t.Div(effect))
			r.P50Change = change(&arm.Latency, &control.Latency, .5, effect)
			r.P99Change = change(&arm.Latency, &control.Latency, .99, effect)
		}
		out[i] = r
	}
	return out
}

// standardErrors is the width of the quantiles' intervals.
const standardErrors = 3

// change compares a quantile of two histograms.
func change(arm, control *window.Hist, q, effect float64) Change {
	a, okA := quantile(arm, q, effect)
	c, okC := quantile(control, q, effect)
	if !okA || !okC {
		return Change{}
	}
	d := a.at - c.at
	return Change{
		Known: true, Value: d,
		Low:  d - hypot(a.at-a.low, c.high-c.at),
		High: d + hypot(a.high-a.at, c.at-c.low),
	}
}

func hypot(a, b time.Duration) time.Duration {
	return time.Duration(math.Hypot(float64(a), float64(b)))
}

type bracket struct{ low, at, high time.Duration }

// quantile is a quantile between the order statistics around it; false where they would lie beyond the ends.
func quantile(h *window.Hist, q, effect float64) (bracket, bool) {
	n := float64(h.Count())
	if n == 0 {
		return bracket{}, false
	}
	wide := standardErrors * math.Sqrt(q*(1-q)*effect/n)
	if q-wide <= 0 || q+wide >= 1 {
		return bracket{}, false
	}
	return bracket{low: h.Quantile(q - wide), at: h.Quantile(q), high: h.Quantile(q + wide)}, true
}
