package evidence

import "math"

// ln20 is the evidence behind a 95 % bound.
var ln20 = math.Log(20)

// fine is the bounds' precision, a ten-thousandth of a point.
const fine = 1e-6

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
	from := max(t.Diff(), 0)
	if at, ok := crossing(from, maxDiff, t.reach(), func(m float64) float64 { return PassE(m, t) }); ok {
		return at
	}
	return 1
}

// Lower is, for display, the 95 % lower bound of the harm: the largest null that FailE's mixture excludes with ln 20, -1
// when there is none. Unlike FailE it speaks without a canary error too.
func Lower(t Table) float64 {
	if !t.speaks() {
		return -1
	}
	from := min(t.Diff(), maxDiff)
	if at, ok := crossing(from, -maxDiff, t.reach(), func(null float64) float64 { return failMix(null, t) }); ok {
		return at
	}
	return -1
}

// reach is about how far a bound is from the estimate: a first guess, nothing more.
func (t Table) reach() float64 {
	p := (t.XC + t.XS + 2) / (t.NC + t.NS + 4)
	return 3.5*math.Sqrt(p*(1-p)*(1/t.NC+1/t.NS)) + 2/t.NC
}

// crossing finds where f rises through ln 20 on the way from the estimate to the far end, beyond it by at most fine; ok is
// false when f does not reach it at the far end. The guess narrows the bracket; inside it the ITP method (Oliveira and
// Takahashi, 2020) is as fast as a secant and never slower than bisection by more than one step.
func crossing(from, to, guess float64, f func(float64) float64) (at float64, ok bool) {
	a, b := from, to // f(a) < ln 20 <= f(b)
	first := from + math.Copysign(min(guess, math.Abs(to-from)), to-from)
	ya, yb := f(from)-ln20, f(first)-ln20
	if yb >= 0 {
		b = first
	} else if a, ya, yb = first, yb, f(to)-ln20; yb < 0 {
		return 0, false
	}
	wide := math.Abs(b - a)
	most := math.Ceil(math.Log2(max(wide/fine, 1))) + 1
	for j := 0.0; math.Abs(b-a) > fine; j++ {
		half := (a + b) / 2
		secant := (yb*a - ya*b) / (yb - ya)
		side := math.Copysign(1, half-secant)
		x := half
		if trim := .2 * (b - a) * (b - a) / wide; trim <= math.Abs(half-secant) {
			x = secant + side*trim
		}
		if slack := max(fine/2*math.Exp2(most-j)-math.Abs(b-a)/2, 0); math.Abs(x-half) > slack {
			x = half - side*slack
		}
		if y := f(x) - ln20; y >= 0 {
			b, yb = x, y
		} else {
			a, ya = x, y
		}
	}
	return b, true
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
	for range 20 {
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
	for range 20 {
		if mid := lo + (hi-lo)/2; AbsFailE(mid, x, n) >= ln20 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
