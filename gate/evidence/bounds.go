package evidence

import "math"

// ln20 is the evidence behind a 95 % bound.
var ln20 = math.Log(20)

// halvings of the bounds' bisection: one part in a million of a whole.
const halvings = 20

// Upper is, for display, the 95 % upper bound of the harm: the smallest m with PassE(m) >= ln 20, 1 when there is none.
// Where the canary is shown to be better it is the negative bound that Lower gives with the arms exchanged.
func Upper(t Table) float64 {
	if !t.speaks() {
		return 1
	}
	if t.Diff() < 0 {
		if better := Lower(Table{t.XS, t.NS, t.XC, t.NC}); better > 0 {
			return -better
		}
	}
	lo, hi := max(t.Diff(), 0), maxDiff
	if PassE(hi, t) < ln20 {
		return 1
	}
	for range halvings {
		if mid := lo + (hi-lo)/2; PassE(mid, t) >= ln20 {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// Lower is, for display, the 95 % lower bound of the harm: the largest null that FailE's mixture excludes with ln 20, -1
// when there is none. Unlike FailE it speaks without a canary error too.
func Lower(t Table) float64 {
	if !t.speaks() {
		return -1
	}
	lo, hi := -maxDiff, min(t.Diff(), maxDiff)
	if failMix(lo, t) < ln20 {
		return -1
	}
	for range halvings {
		if mid := lo + (hi-lo)/2; failMix(mid, t) >= ln20 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// AbsUpper is the 95 % upper bound of one arm's rate: the smallest limit that AbsPassE excludes; 1 when there is none.
func AbsUpper(x, n float64) float64 {
	if !(n > 0) {
		return 1
	}
	lo, hi := x/n, maxDiff
	if AbsPassE(hi, x, n) < ln20 {
		return 1
	}
	for range halvings {
		if mid := lo + (hi-lo)/2; AbsPassE(mid, x, n) >= ln20 {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// AbsLower is the 95 % lower bound of one arm's rate: the largest limit that AbsFailE excludes; 0 when there is none.
func AbsLower(x, n float64) float64 {
	if !(n > 0) || x == 0 {
		return 0
	}
	lo, hi := 0.0, x/n
	for range halvings {
		if mid := lo + (hi-lo)/2; AbsFailE(mid, x, n) >= ln20 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
