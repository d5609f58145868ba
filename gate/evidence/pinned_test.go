package evidence

import (
	"math"
	"testing"
)

// The bounds that people read are those of odds of 20.
func TestBounds_AreAtOddsOfTwenty(t *testing.T) {
	t.Parallel()
	for _, table := range []Table{{41, 3596, 60, 6000}, {0, 600, 60, 59_400}, {30, 1000, 990, 99_000}} {
		if u := Upper(table); u > max(table.Diff(), 0)+2*fine && (PassE(u, table) < math.Log(20)-1e-9 || PassE(u-2*fine, table) >= math.Log(20)) {
			t.Errorf("%v: upper bound %v has odds %v, a little less %v", table, u, math.Exp(PassE(u, table)), math.Exp(PassE(u-2*fine, table)))
		}
		if l := Lower(table); failMix(l, table) < math.Log(20)-1e-9 || failMix(l+2*fine, table) >= math.Log(20) {
			t.Errorf("%v: lower bound %v has odds %v, a little more %v", table, l, math.Exp(failMix(l, table)), math.Exp(failMix(l+2*fine, table)))
		}
	}
}

// What an equal canary would show is the bet of a latency's pass: all of it, half of it, and twice as good.
func TestLatencyPassE_BetsOnAnEqualCanary(t *testing.T) {
	t.Parallel()
	table := Table{20, 1000, 500, 10_000}
	a, b := .02, .05
	want := LogE(0, []float64{a - b, (a - b) / 2, a/2 - b}, []float64{.6, .3, .1}, table)
	if got := LatencyPassE(a, b, table); math.Abs(got-want) > 1e-12 || got <= 0 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := LatencyPassE(a, b, Table{60, 1000, 500, 10_000}); got != 0 {
		t.Errorf("slower than stable: got %v, want 0", got)
	}
}

// Nobody bets against a canary without an error, even where less than nothing is the null.
func TestFailE_WithoutAnError_IsZeroBelowNothingToo(t *testing.T) {
	t.Parallel()
	if got := FailE(-.01, Table{0, 5000, 0, 5000}); got != 0 {
		t.Errorf("got %v, want 0", got)
	}
}
