package sim

import (
	"math"
	"math/rand/v2"
)

// dice is a seeded source with the few draws that the worlds need.
type dice struct{ pcg *rand.PCG }

func newDice(seed, stream uint64) dice { return dice{rand.NewPCG(seed, stream)} }

// float is uniform in [0, 1).
func (d dice) float() float64 { return float64(d.pcg.Uint64()>>11) / (1 << 53) }

// below is uniform in 0..n-1, n < 2^31; its bias is under one in a billion.
func (d dice) below(n int) int {
	return int(d.pcg.Uint64() >> 31 * uint64(n) >> 33)
}

// poisson draws from the Poisson distribution of mean m: by inversion for small means, by Hörmann's transformed rejection
// (PTRS, "The transformed rejection method for generating Poisson random variables", 1993) from 10 on.
func (d dice) poisson(m float64) int {
	switch {
	case !(m > 0):
		return 0
	case m < 10:
		limit, k := math.Exp(-m), 0
		for p := d.float(); p > limit; p *= d.float() {
			k++
		}
		return k
	}
	b := .931 + 2.53*math.Sqrt(m)
	a := -.059 + .02483*b
	inv := 1.1239 + 1.1328/(b-3.4)
	vr := .9277 - 3.6224/(b-2)
	logM := math.Log(m)
	for {
		u, v := d.float()-.5, d.float()
		us := .5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + m + .43)
		if us >= .07 && v <= vr {
			return int(k)
		}
		if k < 0 || us < .013 && v > us {
			continue
		}
		if math.Log(v*inv/(a/(us*us)+b)) <= k*logM-m-lnFactorial(k) {
			return int(k)
		}
	}
}

// binomial draws from the binomial distribution: by counting successes' gaps for few, by Hörmann's transformed rejection
// (BTRS, "The generation of binomial random variates", 1993) for many.
func (d dice) binomial(n int, p float64) int {
	switch {
	case n <= 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case p > .5:
		return n - d.binomial(n, 1-p)
	case float64(n)*p < 10:
		k, log := -1, math.Log1p(-p)
		for at := 0.0; at <= float64(n); k++ {
			at += math.Floor(math.Log(1-d.float())/log) + 1
		}
		return k
	}
	m, sigma := float64(n), math.Sqrt(float64(n)*p*(1-p))
	b := 1.15 + 2.53*sigma
	a := -.0873 + .0248*b + .01*p
	c, vr, alpha := m*p+.5, .92-4.2/b, (2.83+5.1/b)*sigma
	odds, mode := math.Log(p/(1-p)), math.Floor((m+1)*p)
	h := lnFactorial(mode) + lnFactorial(m-mode)
	for {
		u, v := d.float()-.5, d.float()
		us := .5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + c)
		if k < 0 || k > m {
			continue
		}
		if us >= .07 && v <= vr {
			return int(k)
		}
		if math.Log(v*alpha/(a/(us*us)+b)) <= h-lnFactorial(k)-lnFactorial(m-k)+(k-mode)*odds {
			return int(k)
		}
	}
}

func lnFactorial(k float64) float64 {
	l, _ := math.Lgamma(k + 1)
	return l
}

// normal is standard normal, by Box and Muller.
func (d dice) normal() float64 {
	return math.Sqrt(-2*math.Log(1-d.float())) * math.Cos(2*math.Pi*d.float())
}

// gamma draws from the gamma distribution of shape a and scale 1 (Marsaglia and Tsang, 2000).
func (d dice) gamma(a float64) float64 {
	if a < 1 {
		return d.gamma(a+1) * math.Pow(1-d.float(), 1/a)
	}
	c := a - 1./3
	for {
		x := d.normal()
		v := 1 + x/math.Sqrt(9*c)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-d.float()) < x*x/2+c-c*v+c*math.Log(v) {
			return c * v
		}
	}
}

// beta draws from the beta distribution.
func (d dice) beta(a, b float64) float64 {
	x, y := d.gamma(a), d.gamma(b)
	if x+y == 0 {
		return 0
	}
	return x / (x + y)
}

// alias draws an index with given probabilities in constant time (Walker, 1977; Vose's set-up).
type alias struct {
	weights []float64
	sum     float64
	keep    []float64
	other   []int
}

// newAlias makes the table of weights, which need not sum to 1 but must have a positive sum.
func newAlias(weights []float64) *alias {
	n := len(weights)
	a := &alias{weights: weights, keep: make([]float64, n), other: make([]int, n)}
	for _, w := range weights {
		a.sum += w
	}
	var small, large []int
	for i, w := range weights {
		a.keep[i], a.other[i] = w*float64(n)/a.sum, i
		if a.keep[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.other[s] = l
		if a.keep[l] -= 1 - a.keep[s]; a.keep[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		a.keep[i] = 1 // what rounding left
	}
	return a
}

func (a *alias) draw(d dice) int {
	i := d.below(len(a.keep))
	if d.float() < a.keep[i] {
		return i
	}
	return a.other[i]
}

// drawMany adds n draws to counts: one by one, or for many each index at once.
func (a *alias) drawMany(d dice, n int, counts []uint32) {
	if n < 16*len(a.weights) {
		for range n {
			counts[a.draw(d)]++
		}
		return
	}
	left := a.sum
	for i, w := range a.weights {
		k := d.binomial(n, min(w/left, 1))
		counts[i] += uint32(k)
		n, left = n-k, left-w
		if n == 0 {
			return
		}
	}
	for range n { // what rounding left
		counts[a.draw(d)]++
	}
}
