package proxy

import "testing"

func TestTide_CollectsTwiceWhenACrowdHasLeftAndNotBefore(t *testing.T) {
	t.Parallel()
	var tide tide
	for i, step := range []struct {
		high, clients int
		want          bool
	}{
		{0, 0, false}, {100, 100, false}, {100, 0, false}, // few
		{10_000, 10_000, false}, {10_000, 9000, false}, {9000, 6000, false}, // most are still here
		{6000, 4000, true}, {4000, 4000, true}, {4000, 4000, false}, // half have left
		{4000, 3500, false}, {3500, 1500, true}, {10_000, 10_000, true}, // the second time whatever comes
		{10_000, 0, true}, {0, 0, true}, {0, 0, false}, // whoever came at the second time has left
		{10_000, 0, true}, {10_000, 0, true}, {0, 0, true}, {0, 0, true}, {0, 0, false}, // came and left between two looks
	} {
		if got := tide.ebbs(step.high, step.clients); got != step.want {
			t.Errorf("step %d, %+v: got %v, want %v", i, step, got, step.want)
		}
	}
}

func TestProxy_Tideline_IsTheMostSinceItWasAsked(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	a, b := &client{proxy: p}, &client{proxy: p}
	p.enter(a)
	p.enter(b)
	p.leave(a)
	for _, want := range [][2]int{{2, 1}, {1, 1}} {
		if high, now := p.tideline(); high != want[0] || now != want[1] {
			t.Errorf("got %d and %d, want %v", high, now, want)
		}
	}
}
