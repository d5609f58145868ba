package window

import "testing"

// The k-th of n latencies is the k-th, whatever k/n is as a binary fraction.
func TestHist_RankBin_CountsExactly(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 400; n++ {
		var h Hist
		for i := range n {
			h[i]++
		}
		for k := 1; k <= n; k++ {
			if got := h.RankBin(uint64(k)); got != k-1 {
				t.Fatalf("%d of %d: got bin %d, want %d", k, n, got, k-1)
			}
		}
		if got, want := h.QuantileBin(.9), (9*n+9)/10-1; got != want {
			t.Fatalf("ninth decile of %d: got bin %d, want %d", n, got, want)
		}
	}
	var h Hist
	if h.RankBin(1) != -1 {
		t.Error("an empty histogram has a first latency")
	}
	h[3], h[Bins-1] = 2, 1
	if h.RankBin(0) != 3 || h.RankBin(9) != Bins-1 {
		t.Errorf("out of range: got %d and %d", h.RankBin(0), h.RankBin(9))
	}
}
