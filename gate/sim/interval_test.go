package sim

import (
	"math"
	"testing"
)

func TestInterval_MatchesClopperAndPearson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 0, 0, 1},
		{0, 200, 0, 1 - math.Pow(.025, 1./200)},
		{200, 200, math.Pow(.025, 1./200), 1},
		{1, 10, .002529, .445016},
		{5, 10, .187086, .812914},
		{81, 263, .252737, .367622},
	} {
		low, high := interval(tt.k, tt.n)
		if math.Abs(low-tt.low) > 1e-5 || math.Abs(high-tt.high) > 1e-5 {
			t.Errorf("%d of %d: got %.6f to %.6f, want %.6f to %.6f", tt.k, tt.n, low, high, tt.low, tt.high)
		}
	}
}

func TestShare_ShowsItsInterval(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		k, n int
		want string
	}{
		{0, 1600, "0 (0-0.23)"}, {394, 400, "98.5 % (96.8-99.4)"}, {50, 50, "100 % (92.9-100)"}, {0, 0, "-"},
	} {
		if got := share(tt.k, tt.n); got != tt.want {
			t.Errorf("%d of %d: got %q, want %q", tt.k, tt.n, got, tt.want)
		}
	}
}

// interval is the 95 % confidence interval of a share of which k of n were seen, after Clopper and Pearson ("The use of
// confidence or fiducial limits", 1934): exact, and for none of n from 0 to about 3.7/n.
func interval(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const rest = .025
	if k > 0 {
		low = solveShare(func(p float64) bool { return tail(n, k, p) < rest })
	}
	high = 1
	if k < n {
		high = solveShare(func(p float64) bool { return 1-tail(n, k+1, p) > rest })
	}
	return low, high
}

// solveShare is where a test of shares, true from 0 on, becomes false.
func solveShare(below func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 50 {
		if mid := lo + (hi-lo)/2; below(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
