package criterion

import (
	"math"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// skewed fills h with n latencies around a median of ms milliseconds, without any chance.
func skewed(h *window.Hist, n int, ms float64) {
	*h = window.Hist{}
	for i := range n {
		u := (float64(i) + .5) / float64(n)
		h[window.BinOf(time.Duration(ms*1e6*math.Exp(.6*math.Sqrt2*math.Erfinv(2*u-1))))]++
	}
}

func slow(nC int, canary float64, nS int, stable float64) *window.View {
	v := view(0, uint64(nC), 0, uint64(nS))
	skewed(&v.Full.Canary.Latency, nC, canary)
	skewed(&v.Full.Stable.Latency, nS, stable)
	v.Crowds[window.All].ActiveCanary = 100
	return v
}

func TestLatency_Relative(t *testing.T) {
	t.Parallel()
	p95 := made(t, "latency_p95", "stable * 1.10", "stable * 1.5")
	p99 := made(t, "latency_p99", "stable * 1.25", "")
	ms := made(t, "latency_p95", "stable + 20ms", "stable + 100ms")
	for _, tt := range []struct {
		name    string
		c       gate.Criterion
		v       *window.View
		verdict gate.Verdict
		reason  gate.Reason
	}{
		{"no difference", p95, slow(20_000, 50, 60_000, 50), gate.Pass, gate.Passed},
		{"no difference, few", p95, slow(100, 50, 60_000, 50), gate.Hold, gate.NotEnoughEvidence},
		{"too few to look at", p95, slow(49, 500, 60_000, 50), gate.Hold, gate.NotEnoughEvidence},
		{"half as slow again", p95, slow(2000, 77, 60_000, 50), gate.Fail, gate.WorseThanStable},
		{"a fifth slower", p95, slow(20_000, 60, 60_000, 50), gate.Hold, gate.WorseThanStable},
		{"faster", p95, slow(5000, 40, 60_000, 50), gate.Pass, gate.Passed},
		{"ten times, without a rollback limit", p99, slow(5000, 500, 60_000, 50), gate.Hold, gate.WorseThanStable},
		{"within 20 ms of 134", ms, slow(20_000, 51, 60_000, 50), gate.Pass, gate.Passed},
		{"150 ms more", ms, slow(2000, 110, 60_000, 50), gate.Fail, gate.WorseThanStable},
	} {
		if f := tt.c.Judge(asked(tt.v)); f.Verdict != tt.verdict || f.Reason != tt.reason {
			t.Errorf("%s: got %s %s, want %s %s (%+v)", tt.name, f.Verdict, f.Reason, tt.verdict, tt.reason, f)
		}
	}
}

func TestLatency_WarmupJustOver_IsNotWithoutTraffic(t *testing.T) {
	t.Parallel()
	q := asked(view(0, 100, 0, 10_000)) // many answers, none timed yet
	q.Dwelled = false
	if f := made(t, "latency_p95", "stable * 1.10", "").Judge(q); f.Verdict != gate.Hold || f.Reason != gate.Collecting {
		t.Errorf("got %s %s, want hold collecting", f.Verdict, f.Reason)
	}
}

func TestLatency_Finding_ShowsMillisecondsAndTheRatio(t *testing.T) {
	t.Parallel()
	f := made(t, "latency_p95", "stable * 1.10", "stable * 1.5").Judge(asked(slow(20_000, 55, 60_000, 50)))
	if f.Scale != "ratio" || math.Abs(f.Stable-134) > 4 || math.Abs(f.Canary-147) > 5 || math.Abs(f.Difference-1.1) > .03 {
		t.Errorf("got %+v", f)
	}
	if !(f.DifferenceLow <= f.Difference && f.Difference <= f.DifferenceHigh) || f.DifferenceLow < 1.02 || f.DifferenceHigh > 1.2 {
		t.Errorf("interval %v to %v around %v", f.DifferenceLow, f.DifferenceHigh, f.Difference)
	}
	if f.HoldLimit != 1.1 || *f.RollbackLimit != 1.5 {
		t.Errorf("limits %v, %v", f.HoldLimit, *f.RollbackLimit)
	}
}

func TestLatency_ImpatientClients_CountAsSlow(t *testing.T) {
	t.Parallel()
	v := slow(2000, 50, 60_000, 50)
	c := made(t, "latency_p95", "stable * 1.10", "stable * 1.5")
	v.Full.Canary.Aborts[window.BinOf(3*time.Second)] = 300
	if f := c.Judge(asked(v)); f.Verdict != gate.Fail {
		t.Errorf("patience hides a slow canary: %s %s, %+v", f.Verdict, f.Reason, f)
	}
	v.Full.Canary.Aborts = window.Hist{}
	v.Full.Canary.Aborts[window.BinOf(20*time.Millisecond)] = 300
	if f := c.Judge(asked(v)); f.Confirmed {
		t.Errorf("clients that leave at once are no slowness: %s", f.Reason)
	}
}

func TestLatency_WarmUp_IsNoEvidence(t *testing.T) {
	t.Parallel()
	v := slow(2000, 500, 60_000, 50)
	v.Warm = false
	for _, c := range []gate.Criterion{made(t, "latency_p95", "stable * 1.10", "stable * 1.5"), made(t, "latency_p95", "100ms", "200ms")} {
		if f := c.Judge(asked(v)); f.Verdict != gate.Hold || f.Reason != gate.Warmup {
			t.Errorf("got %s %s", f.Verdict, f.Reason)
		}
	}
}

func TestLatency_Absolute(t *testing.T) {
	t.Parallel()
	c := made(t, "latency_p95", "200ms", "400ms")
	f := func(name string, v *window.View, verdict gate.Verdict, reason gate.Reason) {
		t.Helper()
		if got := c.Judge(asked(v)); got.Verdict != verdict || got.Reason != reason {
			t.Errorf("%s: got %s %s, want %s %s (%+v)", name, got.Verdict, got.Reason, verdict, reason, got)
		}
	}
	f("fine", slow(2000, 50, 60_000, 50), gate.Pass, gate.Passed)
	f("far beyond", slow(500, 300, 60_000, 50), gate.Fail, gate.WorseThanStable)
	f("beyond hold", slow(2000, 90, 60_000, 50), gate.Hold, gate.WorseThanStable)
	f("both beyond", slow(500, 300, 60_000, 300), gate.Hold, gate.StableUnhealthy)
	f("few", slow(40, 50, 60_000, 50), gate.Hold, gate.Collecting)
}

// Ten per cent is exactly five bins: a canary five bins slower is at the limit, not above it.
func TestLatency_ExactlyAtTheLimit_IsNotAbove(t *testing.T) {
	t.Parallel()
	v := view(0, 1000, 0, 10_000)
	v.Full.Stable.Latency[300], v.Full.Canary.Latency[305] = 10_000, 1000
	v.Crowds[window.All].ActiveCanary = 100
	if f := made(t, "latency_p95", "stable * 1.10", "stable * 1.5").Judge(asked(v)); f.Reason == gate.EstimateAboveHold || f.Confirmed {
		t.Errorf("got %s, ratio %v", f.Reason, f.Difference)
	}
}

func TestLatency_TooFewStableAnswers_SaysWhenThereAreEnough(t *testing.T) {
	t.Parallel()
	v := slow(4000, 50, 50, 50) // in a bake stable keeps a hundredth of the users
	v.Full.Length = 10 * time.Second
	f := made(t, "latency_p95", "stable * 1.5", "").Judge(asked(v))
	if f.Reason != gate.NotEnoughEvidence || f.ExpectedSeconds == nil || *f.ExpectedSeconds < 30 || *f.ExpectedSeconds > 120 {
		t.Errorf("got %+v, want half a minute at least: 150 more answers at 5/s", f)
	}
	if f := made(t, "latency_p95", "stable * 1.5", "").Judge(asked(slow(4000, 50, 0, 50))); f.ExpectedSeconds != nil {
		t.Errorf("without a stable answer: got %v s, want nothing in sight", *f.ExpectedSeconds)
	}
}

// shifted fills both arms with latencies of which stable's 95th percentile is in one bin, the canary's so many further.
func shifted(bins int) *window.View {
	v := view(0, 5000, 0, 20_000)
	at := window.BinOf(100 * time.Millisecond)
	for _, arm := range []struct {
		s     *window.Snapshot
		n, at int
	}{{&v.Full.Stable, 20_000, at}, {&v.Full.Canary, 5000, at + bins}} {
		arm.s.Latency = window.Hist{}
		arm.s.Latency[arm.at-30] = uint32(arm.n * 90 / 100)
		arm.s.Latency[arm.at] = uint32(arm.n * 6 / 100)
		arm.s.Latency[arm.at+15] = uint32(arm.n * 4 / 100)
	}
	v.Crowds[window.All].ActiveCanary = 100
	return v
}

// The limits are literal: what a person reads as 1.49 times is no breach of a limit of 1.5, and 1.26 times is one of 1.25.
func TestLatency_Limits_AreLiteral(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hold, roll string
		bins       int
		verdict    gate.Verdict
		reason     gate.Reason
	}{
		{"stable * 1.10", "stable * 1.5", 21, gate.Hold, gate.WorseThanStable}, // 1.492
		{"stable * 1.10", "stable * 1.5", 22, gate.Fail, gate.WorseThanStable}, // 1.521
		{"stable * 1.10", "", 5, gate.Pass, gate.Passed},                       // 1.1 exactly
		{"stable * 1.10", "", 6, gate.Hold, gate.WorseThanStable},
		{"stable * 1.25", "", 11, gate.Pass, gate.Passed},             // 1.233
		{"stable * 1.25", "", 12, gate.Hold, gate.EstimateAboveHold},  // 1.257
		{"stable * 1.4641", "stable * 2", 20, gate.Pass, gate.Passed}, // 1.1^4 exactly
		{"stable * 1.05", "stable * 1.4641", 20, gate.Fail, gate.WorseThanStable},
	} {
		f := made(t, "latency_p95", tt.hold, tt.roll).Judge(asked(shifted(tt.bins)))
		if f.Verdict != tt.verdict || f.Reason != tt.reason {
			t.Errorf("hold %s, rollback %s, %.3f times: got %s %s, want %s %s", tt.hold, tt.roll, f.Difference, f.Verdict, f.Reason, tt.verdict, tt.reason)
		}
	}
}

// Who went away gave no answer to time: the finding says so, and not the edge of the histogram.
func TestLatency_ClientsGoAway_IsUnanswered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		away uint32
		want bool
	}{{"stable * 1.5", 300, true}, {"stable * 1.5", 20, false}, {"300ms", 300, true}, {"300ms", 20, false}} {
		v := slow(2000, 50, 60_000, 50)
		v.Full.Canary.Aborts[window.BinOf(10*time.Second)] = tt.away
		f := made(t, "latency_p95", "", tt.rule).Judge(asked(v))
		if f.Unanswered != tt.want || tt.want != (f.Verdict == gate.Fail) {
			t.Errorf("%s, %d went away: got unanswered %v, %s, want %v", tt.rule, tt.away, f.Unanswered, f.Verdict, tt.want)
		}
	}
}
