package criterion

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

func limit(tb testing.TB, text string) *Limit {
	tb.Helper()
	if text == "" {
		return nil
	}
	l, err := ParseLimit(text)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func made(tb testing.TB, metric, hold, roll string) gate.Criterion {
	tb.Helper()
	c, err := New(Spec{Metric: metric, Hold: limit(tb, hold), Rollback: limit(tb, roll)})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// view is a step of an hour in which the arms had x errors of n requests, from independent users.
func view(xC, nC, xS, nS uint64) *window.View {
	v := &window.View{Elapsed: time.Hour, Warm: true}
	fill := func(s *window.Snapshot, x, n uint64) {
		s.Outcomes[window.ServerError], s.Outcomes[window.Success] = x, n-x
	}
	v.Full = window.Span{OK: true, Length: time.Hour}
	fill(&v.Full.Stable, xS, nS)
	fill(&v.Full.Canary, xC, nC)
	v.Crowds[window.BadKind] = window.Crowd{
		DesignEffect: 1, BadBuckets: int(min(xC, 100)),
		WorstCanary: window.Counts{X: float64(min(xC, 1)), N: float64(min(nC, 2))},
		WorstStable: window.Counts{X: float64(min(xS, 1)), N: float64(min(nS, 2))},
	}
	return v
}

// asked is the question of the first crossing of the standard ladder, after the least time.
func asked(v *window.View) gate.Question {
	return gate.Question{
		View: v, Crossings: 3, Failers: 1, NextShare: .05, Dwelled: true, AlphaFail: .01, AlphaPass: .05,
	}
}

func TestThreshold_MatchesTheMethodsFigures(t *testing.T) {
	t.Parallel()
	q := asked(&window.View{Elapsed: 150 * time.Second})
	if got := fullSpan.threshold(&q); math.Abs(got-math.Log(600)) > 1e-9 {
		t.Errorf("full span: got %v, want ln 600", got)
	}
	// Slot k is the whole windows since the step began.
	if got, want := w60Span.threshold(&q), math.Log(1200)+2*math.Log(3); math.Abs(got-want) > 1e-9 {
		t.Errorf("60 s after 150 s: got %v, want %v", got, want)
	}
	if got, want := w300Span.threshold(&q), math.Log(1200); math.Abs(got-want) > 1e-9 {
		t.Errorf("300 s after 150 s: got %v, want %v", got, want)
	}
	sum := .5
	for k := range 1_000_000 {
		sum += .5 / math.Pow(float64(2+k), 2)
	}
	if sum >= 1 {
		t.Errorf("the slots' shares sum to %v, want less than one", sum)
	}
}

func TestMargin_ShrinksWithExposure(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, tt := range []struct{ hold, roll, next, want float64 }{
		{.005, .02, .05, .02}, {.005, .02, .25, .02}, {.005, .02, .5, .01}, {.005, .02, 1, .005},
		{.005, inf, .01, .025}, {.005, inf, 1, .005}, {.005, .02, 0, .02}, {.02, .02, .01, .02},
	} {
		if got := Margin(tt.hold, tt.roll, tt.next); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("Margin(%v, %v, %v): got %v, want %v", tt.hold, tt.roll, tt.next, got, tt.want)
		}
	}
}

func TestErrorRate_Verdicts(t *testing.T) {
	t.Parallel()
	points := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	doubles := made(t, "error_rate", "", "stable * 2")
	tenth := made(t, "error_rate", "stable * 1.10", "")
	for _, tt := range []struct {
		name           string
		c              gate.Criterion
		xC, nC, xS, nS uint64
		verdict        gate.Verdict
		reason         gate.Reason
	}{
		{"as good as stable", points, 12, 1200, 1000, 100_000, gate.Pass, gate.Passed},
		{"too early for a pass", points, 4, 400, 396, 39_600, gate.Pass, gate.Passed},
		{"two hundred requests are not enough", points, 2, 200, 1000, 100_000, gate.Hold, gate.NotEnoughEvidence},
		{"fifty are too few at any evidence", points, 0, 50, 0, 100_000, gate.Hold, gate.Collecting},
		{"above the hold limit by chance", points, 3, 150, 1000, 100_000, gate.Hold, gate.EstimateAboveHold},
		{"worse, within the rollback limit", points, 500, 25_000, 1000, 100_000, gate.Hold, gate.WorseThanStable},
		{"three points more", points, 40, 1000, 990, 99_000, gate.Fail, gate.WorseThanStable},
		{"all of six fail", points, 6, 6, 10, 1000, gate.Fail, gate.WorseThanStable},
		{"two errors are no fail", points, 2, 3, 10, 1000, gate.Hold, gate.OneBucketDominates},
		{"no canary", points, 0, 0, 10, 1000, gate.Hold, gate.NoCanaryTraffic},
		{"no stable", points, 0, 1000, 0, 0, gate.Hold, gate.NoStableTraffic},
		{"doubled", doubles, 630, 30_000, 1000, 100_000, gate.Fail, gate.WorseThanStable},
		{"a doubling below the floor is none", doubles, 2, 10_000, 10, 100_000, gate.Pass, gate.Passed},
		{"a gate without a rollback limit never fails", tenth, 500, 1000, 1000, 100_000, gate.Hold, gate.WorseThanStable},
	} {
		f := tt.c.Judge(asked(view(tt.xC, tt.nC, tt.xS, tt.nS)))
		if f.Verdict != tt.verdict || f.Reason != tt.reason {
			t.Errorf("%s: got %s %s, want %s %s (%+v)", tt.name, f.Verdict, f.Reason, tt.verdict, tt.reason, f)
		}
		if want := f.Verdict == gate.Fail || f.Reason == gate.WorseThanStable; f.Confirmed != want {
			t.Errorf("%s: confirmed is %v", tt.name, f.Confirmed)
		}
	}
}

func TestErrorRate_Finding_ShowsWhatTheAPIPromises(t *testing.T) {
	t.Parallel()
	q := asked(view(53, 5012, 153, 15_087))
	q.NextShare = 1
	f := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt").Judge(q)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 5e-5 {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	near("stable", f.Stable, .01014)
	near("canary", f.Canary, .01057)
	near("difference", f.Difference, .00043)
	near("hold_limit", f.HoldLimit, .005)
	near("pass_limit", f.PassLimit, .005)
	if f.PassNeeds != 20 || *f.FailNeeds != math.Trunc(*f.FailNeeds) {
		t.Errorf("needs have rounding noise: %v, %v", f.PassNeeds, *f.FailNeeds)
	}
	near("fail_needs", *f.FailNeeds, 600)
	near("fail_odds", f.FailOdds, 0)
	if !(f.DifferenceLow < f.Difference && f.Difference < f.DifferenceHigh) {
		t.Errorf("interval %v to %v around %v", f.DifferenceLow, f.DifferenceHigh, f.Difference)
	}
	if f.Rule != "hold: stable + 0.5pt, rollback: stable + 2pt" || f.Scale != "points" {
		t.Errorf("rule %q, scale %q", f.Rule, f.Scale)
	}
	if f.Samples != (gate.Samples{Stable: 15_087, StableBad: 153, Canary: 5012, CanaryBad: 53}) {
		t.Errorf("samples %+v", f.Samples)
	}
	if f.Verdict == gate.Hold && (f.ExpectedSeconds == nil || *f.ExpectedSeconds <= 0) {
		t.Errorf("a hold for want of evidence says not how long: %+v", f)
	}
}

func TestErrorRate_OneUserFails_IsNoRollback(t *testing.T) {
	t.Parallel()
	v := view(60, 1000, 990, 99_000)
	v.Crowds[window.BadKind] = window.Crowd{
		DesignEffect: 1, BadBuckets: 9, WorstShare: .87, WorstCanary: window.Counts{X: 52, N: 55}, WorstStable: window.Counts{X: 3, N: 60},
	}
	f := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt").Judge(asked(v))
	if f.Verdict != gate.Hold || f.Reason != gate.OneBucketDominates || f.Confirmed {
		t.Errorf("got %s %s, confirmed %v", f.Verdict, f.Reason, f.Confirmed)
	}
	v.Crowds[window.BadKind].BadBuckets = 2
	v.Crowds[window.BadKind].WorstCanary = window.Counts{X: 31, N: 40}
	if f := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt").Judge(asked(v)); f.Verdict == gate.Fail {
		t.Errorf("two buckets rolled back")
	}
}

func TestErrorRate_DesignEffect_MakesEvidenceWeaker(t *testing.T) {
	t.Parallel()
	c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	v := view(40, 1000, 990, 99_000)
	v.Crowds[window.BadKind].DesignEffect = 8
	if f := c.Judge(asked(v)); f.Verdict == gate.Fail {
		t.Errorf("eight times fewer independent users: still %s", f.Verdict)
	}
}

func TestErrorRate_MaskedUsersSuffer_Holds(t *testing.T) {
	t.Parallel()
	v := view(12, 1200, 1000, 100_000)
	v.Full.Canary.Masked[window.ServerError] = 60
	f := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt").Judge(asked(v))
	if f.Verdict != gate.Hold || f.Reason != gate.EstimateAboveHold || !f.LeftOut {
		t.Errorf("got %s %s, left out %v", f.Verdict, f.Reason, f.LeftOut)
	}
}

func TestErrorRate_LateOnset_IsSeenInTheWindow(t *testing.T) {
	t.Parallel()
	v := view(500, 45_000, 1800, 180_000)
	late := view(60, 750, 30, 3000)
	v.W60 = window.Span{OK: true, Length: time.Minute, Stable: late.Full.Stable, Canary: late.Full.Canary}
	f := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt").Judge(asked(v))
	if f.Verdict != gate.Fail || f.WindowSeconds != 60 || math.Abs(f.Canary-.08) > 1e-9 {
		t.Errorf("got %s over %v s, canary %v", f.Verdict, f.WindowSeconds, f.Canary)
	}
}

func TestErrorRate_RecentContradiction_Holds(t *testing.T) {
	t.Parallel()
	v := view(500, 50_000, 2000, 200_000)
	late := view(50, 2500, 30, 3000)
	v.W300 = window.Span{OK: true, Length: 5 * time.Minute, Stable: late.Full.Stable, Canary: late.Full.Canary}
	c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	if f := c.Judge(asked(v)); f.Verdict != gate.Hold || f.Reason != gate.EstimateAboveHold || f.WindowSeconds != 300 {
		t.Errorf("got %s %s over %v s (%+v)", f.Verdict, f.Reason, f.WindowSeconds, f)
	}
	late = view(27, 2500, 30, 3000)
	v.W300.Canary = late.Full.Canary
	if f := c.Judge(asked(v)); f.Verdict != gate.Pass {
		t.Errorf("a quiet window: got %s %s", f.Verdict, f.Reason)
	}
}

func TestErrorRate_Absolute_RollsBackUnlessStableBreaksItToo(t *testing.T) {
	t.Parallel()
	c := made(t, "error_rate", "1%", "3%")
	f := func(name string, v *window.View, verdict gate.Verdict, reason gate.Reason) {
		t.Helper()
		if got := c.Judge(asked(v)); got.Verdict != verdict || got.Reason != reason || !got.Absolute {
			t.Errorf("%s: got %s %s, want %s %s", name, got.Verdict, got.Reason, verdict, reason)
		}
	}
	f("fine", view(5, 5000, 100, 100_000), gate.Pass, gate.Passed)
	f("broken", view(80, 1000, 100, 100_000), gate.Fail, gate.WorseThanStable)
	f("both broken", view(80, 1000, 8000, 100_000), gate.Hold, gate.StableUnhealthy)
	f("above the hold limit", view(400, 20_000, 100, 100_000), gate.Hold, gate.WorseThanStable)
	f("stable above the hold limit", view(5, 5000, 1500, 100_000), gate.Hold, gate.StableUnhealthy)
	f("no stable is needed", view(5, 5000, 0, 0), gate.Pass, gate.Passed)
	f("no canary", view(0, 0, 100, 100_000), gate.Hold, gate.NoCanaryTraffic)
}

func TestErrorRate_FrozenBaseline_IsStablesLastTable(t *testing.T) {
	t.Parallel()
	c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	q := asked(view(60, 6000, 0, 0))
	q.Frozen = &view(0, 0, 1000, 100_000).Full.Stable
	if f := c.Judge(q); f.Verdict != gate.Pass || f.Samples.Stable != 100_000 {
		t.Errorf("got %s %s, %+v", f.Verdict, f.Reason, f.Samples)
	}
	q.Frozen = &window.Snapshot{}
	if f := c.Judge(q); f.Verdict != gate.Hold || f.Reason != gate.NoStableTraffic {
		t.Errorf("an empty baseline: got %s %s", f.Verdict, f.Reason)
	}
}

func TestRates_EachCountsItsOwn(t *testing.T) {
	t.Parallel()
	v := view(0, 10_000, 0, 100_000)
	v.Full.Canary.Outcomes[window.Timeout] = 10
	v.Full.Canary.Outcomes[window.ClientError] = 20
	v.Full.Canary.Outcomes[window.Abort] = 30
	v.Full.Canary.Outcomes[window.Throttled] = 40
	for metric, want := range map[string]uint64{"timeout_rate": 10, "client_error_rate": 20, "abort_rate": 30, "error_rate": 50} {
		if f := made(t, metric, "stable + 0.5pt", "").Judge(asked(v)); f.Samples.CanaryBad != want || f.Metric != metric {
			t.Errorf("%s: got %d bad, want %d", metric, f.Samples.CanaryBad, want)
		}
	}
}

func TestPlain_ComparesTheWindowOnly(t *testing.T) {
	t.Parallel()
	c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	f := func(name string, xC, nC uint64, dwelled bool, verdict gate.Verdict, reason gate.Reason) {
		t.Helper()
		q := asked(view(0, 0, 0, 0))
		q.View.Plain = view(xC, nC, 100, 10_000).Full
		q.Plain, q.Dwelled = &gate.Plain{Window: 5 * time.Minute, MinRequests: 100}, dwelled
		if got := c.Judge(q); got.Verdict != verdict || got.Reason != reason {
			t.Errorf("%s: got %s %s, want %s %s", name, got.Verdict, got.Reason, verdict, reason)
		}
	}
	f("too few", 50, 99, true, gate.Hold, gate.Collecting)
	f("fine", 1, 100, true, gate.Pass, gate.Passed)
	f("fine, too early", 1, 100, false, gate.Hold, gate.Collecting)
	f("above hold", 2, 100, true, gate.Hold, gate.EstimateAboveHold)
	f("above rollback", 3, 100, true, gate.Fail, gate.WorseThanStable)
	f("nothing", 0, 0, true, gate.Hold, gate.NoCanaryTraffic)
}

// Whatever is missing, nothing passes for it, nothing fails, and every number fits into JSON.
func TestJudge_AnyView_NeverPassesWithoutDataAndIsFinite(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var all []gate.Criterion
	for _, m := range ownMetrics() {
		forms := [][2]string{{"stable + 0.5pt", "stable + 2pt"}, {"stable * 1.1", ""}, {"", "stable * 2"}, {"1%", "2%"}}
		if strings.HasPrefix(m, "latency") {
			forms = [][2]string{{"stable * 1.1", "stable * 1.5"}, {"stable + 20ms", ""}, {"", "stable * 2"}, {"100ms", "300ms"}}
		}
		for _, f := range forms {
			all = append(all, made(t, m, f[0], f[1]))
		}
	}
	for range 3000 {
		v := randomView(r)
		q := asked(v)
		q.NextShare, q.Dwelled = []float64{0, .05, 1}[r.IntN(3)], r.IntN(4) > 0
		q.Frozen = []*window.Snapshot{nil, nil, nil, {}, &v.Full.Stable}[r.IntN(5)]
		if r.IntN(5) == 0 {
			q.Plain = &gate.Plain{Window: time.Duration(r.IntN(900)) * time.Second, MinRequests: r.IntN(200)}
		}
		c := all[r.IntN(len(all))]
		f := c.Judge(q)
		if _, err := json.Marshal(f); err != nil {
			t.Fatalf("%s %s: %v: %+v", c.Metric(), c.Rule(), err, f)
		}
		if f.Verdict == gate.Pass && (f.Samples.Canary == 0 || f.Samples.Stable == 0 && !f.Absolute || !q.Dwelled || !v.Full.OK && !v.Plain.OK && q.Plain == nil) {
			t.Fatalf("%s %s passed on %+v", c.Metric(), c.Rule(), f)
		}
		if f.Verdict == gate.Fail && (f.RollbackLimit == nil || f.Samples.Canary == 0) {
			t.Fatalf("%s %s failed on %+v", c.Metric(), c.Rule(), f)
		}
		if f.Verdict == gate.Hold && (f.Reason == "" || f.Reason == gate.Passed) {
			t.Fatalf("%s holds for %q", c.Metric(), f.Reason)
		}
	}
}

func randomView(r *rand.Rand) *window.View {
	v := &window.View{Elapsed: time.Duration(r.IntN(4000)) * time.Second, Warm: r.IntN(4) > 0}
	for _, s := range []*window.Span{&v.Full, &v.W300, &v.W60, &v.Plain} {
		s.OK, s.Length = r.IntN(5) > 0, time.Duration(r.IntN(300))*time.Second
		for _, a := range []*window.Snapshot{&s.Stable, &s.Canary} {
			if r.IntN(5) == 0 {
				continue
			}
			for o := range a.Outcomes {
				a.Outcomes[o] = uint64(r.IntN(1 << r.IntN(12)))
			}
			for range r.IntN(60) {
				a.Latency[r.IntN(window.Bins)] += uint32(r.IntN(200))
				a.Aborts[r.IntN(window.Bins)] += uint32(r.IntN(3))
			}
		}
	}
	for k := range v.Crowds {
		v.Crowds[k] = window.Crowd{DesignEffect: r.Float64() * 5, BadBuckets: r.IntN(20), WorstShare: r.Float64(),
			WorstCanary: window.Counts{X: float64(r.IntN(50)), N: float64(50 + r.IntN(50))}, ActiveCanary: r.IntN(9)}
	}
	v.EffectiveThen = float64(r.IntN(500))
	return v
}

func TestParseLimit_EveryForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Limit{
		"stable + 0.5pt": {Form: Points, Value: .005}, "stable+2pt": {Form: Points, Value: .02}, "stable - 2pt": {Form: Points, Value: .02}, "stable * 1.10": {Form: Factor, Value: 1.1},
		"stable + 20ms": {Form: Delay, Value: .02}, "1%": {Form: Share, Value: .01}, " 300ms ": {Form: Time, Value: .3}, "1.5s": {Form: Time, Value: 1.5},
		"5": {Form: Number, Value: 5}, "-0.25": {Form: Number, Value: -.25},
	} {
		l, err := ParseLimit(text)
		if err != nil || l.Form != want.Form || math.Abs(l.Value-want.Value) > 1e-12 || l.String() != strings.TrimSpace(text) {
			t.Errorf("ParseLimit(%q): got %+v, %v", text, l, err)
		}
	}
	for text, want := range map[string]string{
		"STABLE + 1pt": `did you mean "stable + 1pt"`, "canary + 1pt": `did you mean "stable + 1pt"`,
		"": "want", "stable": "want", "0.5pt": `did you mean "stable + 0.5pt"`, "stable + 10%": `"stable * 1.1"`, "stable * 0.9": "factor above 1",
		"stable * x": "factor above 1", "stable / 1pt": "want", "0%": "between 0% and 100%", "100%": "between 0% and 100%", "-5ms": "above 0",
		"stable + -1pt": "points", "stable + 0pt": "more than 0", "stable * 1e9": "factor", "NaN%": "share", "stable + NaNpt": "points", "x5": "want",
	} {
		if l, err := ParseLimit(text); err == nil || l != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseLimit(%q): got %v, %v, want an error with %s", text, l, err, want)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"stable + 0.5pt", "stable * 1.10", "stable + 20ms", "1%", "300ms", "stable + 10%", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLimit(text)
		if err != nil {
			return
		}
		if !(l.Value > 0) && l.Form != Number || math.IsNaN(l.Value) || math.IsInf(l.Value, 0) {
			t.Errorf("%q is %v", text, l.Value)
		}
		again, err := ParseLimit(l.String())
		if err != nil || *again != *l {
			t.Errorf("%q reads back as %+v, %v", text, again, err)
		}
	})
}

func TestNew_WhatDoesNotFit_IsRefusedInWords(t *testing.T) {
	t.Parallel()
	f := func(s Spec, want string) {
		t.Helper()
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v): got %v, want %s", s, err, want)
		}
	}
	points, share, factor, delay := limit(t, "stable + 1pt"), limit(t, "1%"), limit(t, "stable * 2"), limit(t, "stable + 5ms")
	f(Spec{Metric: "error_rat", Hold: points}, `no metric is called "error_rat"`)
	f(Spec{Metric: "error_rate"}, "neither hold nor rollback")
	f(Spec{Metric: "error_rate", Hold: delay}, "cannot be limited")
	f(Spec{Metric: "latency_p99", Hold: points}, "cannot be limited")
	f(Spec{Metric: "latency_p99", Hold: share}, "cannot be limited")
	f(Spec{Metric: "error_rate", Hold: points, Rollback: share}, "write two gates")
	f(Spec{Metric: "error_rate", Hold: limit(t, "stable + 2pt"), Rollback: points}, "swap them")
	f(Spec{Metric: "latency_p50", Hold: factor, Rollback: limit(t, "stable * 1.5")}, "swap them")
	f(Spec{Metric: "error_rate", Hold: points, Worse: "lower"}, "for signals")
	f(Spec{Metric: "error_rate", Hold: points, Floor: -1}, "floor")
	f(Spec{Metric: "error_rate", Hold: points, Stages: []int{0}}, "count from 1")
}

func TestRegistry_EveryMetric_HasDocsAndCanBeMade(t *testing.T) {
	t.Parallel()
	for _, m := range Metrics() {
		if Doc(m) == "" {
			t.Errorf("%s has no docs", m)
		}
	}
	for _, m := range ownMetrics() {
		if c := made(t, m, "stable * 1.2", "stable * 2"); c.Metric() != m || !c.CanFail() || c.Rule() != "hold: stable * 1.2, rollback: stable * 2" {
			t.Errorf("%s: %s, %s", m, c.Metric(), c.Rule())
		}
	}
}

// ownMetrics are those that serin measures itself, against stable.
func ownMetrics() []string {
	return slices.DeleteFunc(Metrics(), func(m string) bool { return m == "prometheus" || m == "webhook" })
}

func TestApplies_NamedStagesAndShares(t *testing.T) {
	t.Parallel()
	c, err := New(Spec{Metric: "error_rate", Hold: limit(t, "stable + 1pt"), Stages: []int{1, 2}, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	share, ring := gate.Stage{Weight: 100}, gate.Stage{Audience: "staff"}
	if !c.Applies(1, share) || c.Applies(3, share) || c.Applies(1, ring) || c.CanFail() {
		t.Errorf("got %v %v %v, can fail %v", c.Applies(1, share), c.Applies(3, share), c.Applies(1, ring), c.CanFail())
	}
	if c.Rule() != "hold: stable + 1pt, stages: 1 2, dry run" {
		t.Errorf("rule %q", c.Rule())
	}
	if abs := made(t, "error_rate", "1%", ""); !abs.Applies(1, ring) || abs.Applies(1, gate.Stage{Preview: true}) {
		t.Errorf("an absolute limit needs any traffic, and only that")
	}
}

func BenchmarkJudge(b *testing.B) {
	v := view(53, 5012, 153, 15_087)
	for _, m := range []string{"error_rate", "latency_p95"} {
		for _, terse := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/terse=%v", m, terse), func(b *testing.B) {
				c, q := made(b, m, "stable * 1.1", "stable * 2"), asked(v)
				q.Terse = terse
				skewed(&v.Full.Stable.Latency, 15_087, 50)
				skewed(&v.Full.Canary.Latency, 5012, 51)
				b.ReportAllocs()
				for b.Loop() {
					c.Judge(q)
				}
			})
		}
	}
}
