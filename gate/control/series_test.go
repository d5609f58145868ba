package control

import (
	"testing"
	"time"

	"serin/gate/window"
)

func TestSeries_TicksThatAreNeverPunctual_PointsAsOftenAsSaid(t *testing.T) {
	var s series
	born := time.Now()
	for i := range 121 {
		jitter := time.Duration(i%3-1) * 20 * time.Millisecond
		s.add(born.Add(time.Duration(i)*time.Second+jitter), 0, &[2]window.Snapshot{})
	}
	if len(s.live) != 60 || len(s.recent) != 4 {
		t.Errorf("two minutes are %d fine points and %d of 30 s, want 60 and 4", len(s.live), len(s.recent))
	}
	for _, p := range s.recent {
		if p.Seconds < 29.5 || p.Seconds > 30.5 {
			t.Errorf("a point of %v s", p.Seconds)
		}
	}
}
