package evidence

import "math"

// edge keeps the profile's rates off 0 and 1.
const edge = 1e-12

// prof is the greatest log-likelihood of t among rates that differ by d (canary p+d, stable p); -Inf where none exist.
func prof(d float64, t Table) float64 {
	lo, hi := max(0, -d)+edge, min(1, 1-d)-edge
	if !(lo < hi) {
		return math.Inf(-1)
	}
	p := solve(lo, hi, d, t)
	return ll(t.XC, t.NC, p+d) + ll(t.XS, t.NS, p)
}

// ll is the binomial log-likelihood without its constant; 0 ln 0 = 0.
func ll(x, n, p float64) float64 {
	sum := 0.0
	if x > 0 {
		sum = x * math.Log(p)
	}
	if n > x {
		sum += (n - x) * math.Log1p(-p)
	}
	return sum
}

// solve finds the root of the score, which is strictly decreasing, in [lo, hi]. Newton's step is taken on the score times
// (p-lo)(hi-p), which has no poles and is nearly straight; the bracket, kept by the score's sign, and halving wherever a
// step leaves it make this as safe as bisection at a fifth of its cost.
func solve(lo, hi, d float64, t Table) float64 {
	if s, _ := score(lo, d, t); s <= 0 {
		return lo
	}
	if s, _ := score(hi, d, t); s >= 0 {
		return hi
	}
	left, right := lo, hi
	p := (t.XC + t.XS - d*t.NC) / (t.NC + t.NS)
	if !(p > lo && p < hi) {
		p = lo + (hi-lo)/2
	}
	for range 64 {
		s, slope := score(p, d, t)
		if s > 0 {
			left = p
		} else {
			right = p
		}
		wide := (p - lo) * (hi - p)
		next := p - s*wide/(slope*wide+s*(lo+hi-2*p))
		if !(next > left && next < right) {
			next = left + (right-left)/2
		}
		if math.Abs(next-p) <= 1e-7*min(p-lo, hi-p) {
			return next
		}
		p = next
	}
	return p
}

// score is the derivative of the log-likelihood at p, and its own derivative.
func score(p, d float64, t Table) (s, slope float64) {
	a, b := t.XC/(p+d), (t.NC-t.XC)/(1-p-d)
	c, e := t.XS/p, (t.NS-t.XS)/(1-p)
	return a - b + c - e, -(a/(p+d) + b/(1-p-d) + c/p + e/(1-p))
}
