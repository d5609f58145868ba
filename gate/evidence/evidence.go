// Package evidence turns counts into odds: how strongly a 2x2 table (canary bad/all, stable bad/all) speaks against
// "the harm is no larger than null" (FailE) or against "the harm is at least m" (PassE). It is pure arithmetic.
//
//	ll(x,n,p)  = x ln p + (n-x) ln(1-p)                               0 ln 0 = 0
//	prof(d,T)  = max over p of ll(xC,nC,p+d) + ll(xS,nS,p)            p in (max(0,-d), min(1,1-d))
//	logE       = ln sum_j w_j exp( prof(alt_j,T) - prof(null,T) )
//
// exp(logE) is the factor by which a bettor against the null has multiplied the stake. For a known p it is a martingale
// under the null, so the chance that it ever reaches 1/a is at most a, however often one looks (Ville's inequality; see
// Shafer and Vovk, Game-Theoretic Foundations, and Ramdas et al., "Game-theoretic statistics and safe anytime-valid
// inference", 2023). Profiling the unknown p makes this approximate for two arms; against an absolute limit
// (AbsFailE, AbsPassE) it is exact.
//
// Everything is in nats (natural logarithms) and differences of rates ("harm", "points"/100). Counts are real-valued:
// tables are divided by the design effect where users are correlated. 0 means "no evidence either way", and is what
// every function answers for a table that cannot speak: no canary, no stable, or an estimate on the wrong side.
package evidence

import "math"

// Table is what both arms saw: XC bad of NC canary requests, XS bad of NS stable requests; 0 <= X <= N. Real-valued.
type Table struct{ XC, NC, XS, NS float64 }

// Diff is the point estimate of the harm, canary rate minus stable rate; 0 when an arm is empty.
func (t Table) Diff() float64 {
	if t.NC <= 0 || t.NS <= 0 {
		return 0
	}
	return t.XC/t.NC - t.XS/t.NS
}

// Div divides every count by the design effect d; d <= 1 changes nothing.
func (t Table) Div(d float64) Table {
	if !(d > 1) {
		return t
	}
	return Table{t.XC / d, t.NC / d, t.XS / d, t.NS / d}
}

// harmSteps are FailE's alternatives: how much worse than the null the canary may be. Doubling steps lose at most ln 10
// nats against the best of them.
var harmSteps = [10]float64{.001, .002, .004, .008, .016, .032, .064, .128, .256, .512}

var harmWeights = [10]float64{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}

var passWeights = [3]float64{.6, .3, .1}

// FailE is the evidence, in nats, that the canary's harm is larger than null (a difference of rates, -1 < null < 1).
// It is 0 without a canary error or while the estimate is not above null.
func FailE(null float64, t Table) float64 {
	if !t.speaks() || t.XC == 0 || t.Diff() <= null {
		return 0
	}
	return failMix(null, t)
}

func failMix(null float64, t Table) float64 {
	var alts [len(harmSteps)]float64
	for i, s := range harmSteps {
		alts[i] = null + s
	}
	return LogE(null, alts[:], harmWeights[:], t)
}

// PassE is the evidence, in nats, that the harm is smaller than m, m > 0. It is 0 while the estimate is not below m.
func PassE(m float64, t Table) float64 {
	if !t.speaks() || !(m > 0) || t.Diff() >= m {
		return 0
	}
	alts := [...]float64{0, m / 2, -m / 4}
	return LogE(m, alts[:], passWeights[:], t)
}

// LatencyPassE is the evidence, in nats, that the canary exceeds m*t less often than stable exceeds t (gate.md,
// section 4). The table holds exceedances: canary above the edge of m*t, stable above the edge of t; b is stable's share
// above t and a its share above m*t, which is what an equal canary would show; 0 <= a <= b <= 1.
func LatencyPassE(a, b float64, t Table) float64 {
	if !t.speaks() || t.Diff() >= 0 {
		return 0
	}
	alts := [...]float64{a - b, (a - b) / 2, a/2 - b}
	return LogE(0, alts[:], passWeights[:], t)
}

// LogE is the mixture in general: ln sum_j weights[j] exp(prof(alts[j]) - prof(null)), in nats. len(weights) must be
// len(alts). An alternative that no pair of rates can show counts nothing; without any left the answer is 0. It allocates
// nothing and keeps neither slice.
func LogE(null float64, alts, weights []float64, t Table) float64 {
	if !t.speaks() {
		return 0
	}
	base := prof(min(max(null, -maxDiff), maxDiff), t)
	top, sum := math.Inf(-1), 0.0
	for i, d := range alts {
		top, sum = logAdd(top, sum, math.Log(weights[i])+prof(d, t)-base)
	}
	if sum == 0 {
		return 0
	}
	return top + math.Log(sum)
}

// maxDiff keeps the null's interval from being empty: harms of a whole 1 do not exist.
const maxDiff = 1 - 1e-9

// logAdd adds exp(v) to the running sum exp(top)*sum.
func logAdd(top, sum, v float64) (float64, float64) {
	switch {
	case math.IsInf(v, -1):
		return top, sum
	case v > top:
		return v, sum*math.Exp(top-v) + 1
	}
	return top, sum + math.Exp(v-top)
}

func (t Table) speaks() bool { return t.NC > 0 && t.NS > 0 }
