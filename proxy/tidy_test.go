package proxy

import "testing"

func TestTide_CollectsTwiceWhenACrowdHasLeftAndNotBefore(t *testing.T) {
	t.Parallel()
	var tide tide
	for i, step := range []struct {
		clients int
		want    bool
	}{
		{0, false}, {100, false}, {0, false}, // few
		{10_000, false}, {9000, false}, {6000, false}, // most are still here
		{4000, true}, {4000, true}, {4000, false}, // half have left
		{3500, false}, {1500, true}, {10_000, true}, // the second time whatever comes
		{10_000, false}, {0, true}, {0, true}, {0, false},
	} {
		if got := tide.ebbs(step.clients); got != step.want {
			t.Errorf("step %d, %d clients: got %v, want %v", i, step.clients, got, step.want)
		}
	}
}
