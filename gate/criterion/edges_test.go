package criterion

import (
	"math"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// A hold clears when the last 300 s are within the hold limit and have not even a trace of evidence.
func TestRate_Clear_AsksForBoth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		xC, nC, xS, nS uint64
		want           bool
	}{
		{"as good as stable", 100, 10_000, 100, 10_000, true},
		{"within the limit, and surely worse", 1400, 100_000, 1000, 100_000, false},
		{"above the limit, by chance", 1, 50, 50, 10_000, false},
		{"no request", 0, 0, 50, 10_000, false},
	} {
		v := view(2000, 100_000, 1000, 100_000)
		late := view(tt.xC, tt.nC, tt.xS, tt.nS).Full
		v.W300 = window.Span{OK: true, Length: window.Long, Stable: late.Stable, Canary: late.Canary}
		if f := made(t, "error_rate", "stable + 0.5pt", "").Judge(asked(v)); f.Clear != tt.want {
			t.Errorf("%s: got clear %v, want %v", tt.name, f.Clear, tt.want)
		}
		abs := made(t, "error_rate", "1.2%", "").Judge(asked(v))
		if want := tt.nC > 0 && float64(tt.xC)/float64(tt.nC) <= .012; abs.Clear != want {
			t.Errorf("%s, absolute: got clear %v, want %v", tt.name, abs.Clear, want)
		}
	}
}

// More time brings nothing where n/D has grown by less than a twentieth over the last doubling.
func TestRate_Saturated_AtATwentieth(t *testing.T) {
	t.Parallel()
	for then, want := range map[float64]gate.Reason{239: gate.SaturatedUsers, 238: gate.NotEnoughEvidence, 0: gate.NotEnoughEvidence} {
		v := view(10, 1000, 1000, 100_000)
		v.Crowds[window.BadKind].DesignEffect, v.EffectiveThen = 4, then // 1000/4 is 250
		v.W300 = v.Full
		c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
		q := asked(v)
		q.NextShare = 1
		if f := c.Judge(q); f.Reason != want {
			t.Errorf("%v before: got %s, want %s", then, f.Reason, want)
		}
		v.Elapsed = 9 * time.Minute
		if f := c.Judge(q); f.Reason == gate.SaturatedUsers {
			t.Errorf("%v before, after 9 min: got %s", then, f.Reason)
		}
	}
}

// Whoever gave up sooner than stable's 99th percentile was not kept waiting by a slow canary.
func TestLatency_Patience_IsStables99thPercentile(t *testing.T) {
	t.Parallel()
	for away, want := range map[time.Duration]gate.Verdict{150 * time.Millisecond: gate.Pass, 400 * time.Millisecond: gate.Fail} {
		v := slow(4000, 50, 60_000, 50) // the 99th percentile is about 200 ms
		v.Full.Canary.Aborts[window.BinOf(away)] = 1000
		if f := made(t, "latency_p95", "stable * 1.10", "stable * 1.5").Judge(asked(v)); f.Verdict != want {
			t.Errorf("gave up after %v: got %s %s, want %s", away, f.Verdict, f.Reason, want)
		}
	}
}

// Counts near the end of what a float64 counts exactly are judged like their shares, and never as nonsense.
func TestJudge_HugeCounts_StayFinite(t *testing.T) {
	t.Parallel()
	const huge = 1 << 53
	for _, rule := range [][3]string{{"error_rate", "stable + 0.5pt", "stable + 2pt"}, {"error_rate", "1%", "2%"}, {"error_rate", "stable * 1.1", "stable * 2"}} {
		c := made(t, rule[0], rule[1], rule[2])
		for _, tt := range []struct {
			xC, nC, xS, nS uint64
			want           gate.Verdict
		}{
			{huge / 1000, huge, huge / 1000, huge, gate.Pass},
			{huge / 10, huge, huge / 1000, huge, gate.Fail},
			{huge, huge, 0, huge, gate.Fail},
			{0, huge, 0, huge, gate.Pass},
			{0, huge, 0, 1, gate.Pass}, // a canary without an error is worse than nobody
			{0, 1, 0, huge, gate.Hold},
		} {
			f := c.Judge(asked(view(tt.xC, tt.nC, tt.xS, tt.nS)))
			if f.Verdict != tt.want {
				t.Errorf("%v of %d/%d and %d/%d: got %s %s, want %s", rule, tt.xC, tt.nC, tt.xS, tt.nS, f.Verdict, f.Reason, tt.want)
			}
			for _, x := range []float64{f.Stable, f.Canary, f.Difference, f.DifferenceLow, f.DifferenceHigh, f.PassOdds, f.FailOdds, f.PassLimit} {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Errorf("%v of %d/%d and %d/%d: %+v is not finite", rule, tt.xC, tt.nC, tt.xS, tt.nS, f)
				}
			}
		}
	}
}
