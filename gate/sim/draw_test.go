package sim

import (
	"math"
	"testing"
)

func moments(n int, draw func() float64) (mean, variance float64) {
	var sum, squares float64
	for range n {
		v := draw()
		sum, squares = sum+v, squares+v*v
	}
	mean = sum / float64(n)
	return mean, squares/float64(n) - mean*mean
}

func TestPoisson_HasItsMeanAndVariance(t *testing.T) {
	t.Parallel()
	d := newDice(1, 1)
	for _, m := range []float64{.01, .5, 3, 9.9, 10, 40, 1000, 1e6} {
		const n = 40_000
		mean, variance := moments(n, func() float64 { return float64(d.poisson(m)) })
		if math.Abs(mean-m) > 5*math.Sqrt(m/n) || math.Abs(variance-m) > 5*math.Sqrt((m+2*m*m)/n) {
			t.Errorf("mean %v: got mean %v, variance %v", m, mean, variance)
		}
	}
	for _, m := range []float64{0, -1, math.NaN()} {
		if got := d.poisson(m); got != 0 {
			t.Errorf("mean %v: got %d, want 0", m, got)
		}
	}
}

func TestBinomial_HasItsMeanAndVariance(t *testing.T) {
	t.Parallel()
	d := newDice(5, 5)
	for _, tt := range []struct {
		n int
		p float64
	}{{1, .3}, {20, .01}, {50, .5}, {1000, .004}, {1000, .2}, {1000, .97}, {1_000_000, .37}} {
		const runs = 40_000
		mean, variance := moments(runs, func() float64 { return float64(d.binomial(tt.n, tt.p)) })
		want, spread := float64(tt.n)*tt.p, float64(tt.n)*tt.p*(1-tt.p)
		if math.Abs(mean-want) > 5*math.Sqrt(spread/runs) || math.Abs(variance-spread) > 5*math.Sqrt((spread+2*spread*spread)/runs) {
			t.Errorf("%+v: got mean %v, variance %v, want %v and %v", tt, mean, variance, want, spread)
		}
	}
	for _, p := range []float64{0, 1} {
		if got := d.binomial(7, p); got != int(7*p) {
			t.Errorf("p = %v: got %d of 7", p, got)
		}
	}
}

func TestBeta_HasItsMeanAndCorrelation(t *testing.T) {
	t.Parallel()
	d := newDice(2, 2)
	p, icc := .01, .2
	size := 1/icc - 1
	mean, variance := moments(200_000, func() float64 { return d.beta(p*size, (1-p)*size) })
	if math.Abs(mean-p) > .0006 || math.Abs(variance/(p*(1-p))-icc) > .015 {
		t.Errorf("got mean %v and a correlation of %v, want %v and %v", mean, variance/(p*(1-p)), p, icc)
	}
}

func TestAlias_DrawsInProportion(t *testing.T) {
	t.Parallel()
	d, weights := newDice(3, 3), []float64{1, 0, 3, 6, .001, 0}
	a := newAlias(weights)
	const n = 200_000
	var got [6]float64
	for range n {
		got[a.draw(d)]++
	}
	many := make([]uint32, len(weights))
	a.drawMany(d, n, many)
	for i, w := range weights {
		p := w / 10.001
		if math.Abs(float64(many[i])/n-p) > 5*math.Sqrt(p*(1-p)/n) {
			t.Errorf("index %d of many: got a share of %v, want %v", i, float64(many[i])/n, p)
		}
		if math.Abs(got[i]/n-p) > 5*math.Sqrt(p*(1-p)/n) {
			t.Errorf("index %d: got a share of %v, want %v", i, got[i]/n, p)
		}
	}
}

func TestBelow_CoversItsRangeEvenly(t *testing.T) {
	t.Parallel()
	d := newDice(4, 4)
	var got [7]int
	for range 70_000 {
		got[d.below(7)]++
	}
	for i, n := range got {
		if n < 9_500 || n > 10_500 {
			t.Errorf("%d: got %d of 70,000", i, n)
		}
	}
}
