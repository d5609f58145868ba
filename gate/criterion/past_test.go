package criterion

import (
	"math"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// pastOf is a ring's own past: x of n failed, all answered after lat.
func pastOf(x, n uint64, lat time.Duration) *gate.Past {
	table := func() *window.Snapshot {
		s := new(window.Snapshot)
		s.Outcomes[window.ServerError], s.Outcomes[window.Success] = x, n-x
		for k := range 20 { // a skewed distribution around lat
			s.Latency[window.BinOf(time.Duration(float64(lat)*math.Exp(.11*(float64(k)-9.5))))] += uint32((n - x + 10) / 20)
		}
		return s
	}
	return &gate.Past{Ring: "house", Table: table(), Others: table()}
}

// ringQuestion asks about a canary of which x of n failed after lat; those on stable now are other people, who fail always.
func ringQuestion(past *gate.Past, x, n uint64, lat time.Duration) gate.Question {
	v := &window.View{Elapsed: 10 * time.Minute, Warm: true}
	v.Full = window.Span{OK: true, Length: v.Elapsed}
	v.Full.Canary = *pastOf(x, n, lat).Table
	v.Full.Stable.Outcomes[window.ServerError] = 1000
	v.Plain = v.Full
	for k := range v.Crowds {
		v.Crowds[k] = window.Crowd{DesignEffect: 1, BadBuckets: 10, ActiveCanary: 20, ActiveStable: 100}
	}
	q := gate.Question{View: v, Crossings: 3, Failers: 1, Dwelled: true, AlphaFail: .01, AlphaPass: .05, Past: past}
	if past != nil {
		q.Frozen = past.Table
	}
	return q
}

func criterionOf(t *testing.T, metric, hold, roll string) gate.Criterion {
	t.Helper()
	s := Spec{Metric: metric}
	for text, into := range map[string]**Limit{hold: &s.Hold, roll: &s.Rollback} {
		if text == "" {
			continue
		}
		l, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		*into = l
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRate_OwnPast_IsTheOnlyMeasure(t *testing.T) {
	t.Parallel()
	c := criterionOf(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	f := func(name string, past *gate.Past, x, n uint64, verdict gate.Verdict, reason gate.Reason) {
		t.Helper()
		got := c.Judge(ringQuestion(past, x, n, 0))
		if got.Unfit || got.Verdict != verdict || got.Reason != reason {
			t.Errorf("%s: %s, %s (unfit %v): %+v", name, got.Verdict, got.Reason, got.Unfit, got)
		}
		if got.Samples.Stable != past.Table.Judged() {
			t.Errorf("%s: compared with %d requests, want the past's %d", name, got.Samples.Stable, past.Table.Judged())
		}
	}
	past := pastOf(50, 5000, 0)
	f("as good as before", past, 10, 1000, gate.Pass, gate.Passed)
	f("much worse", past, 60, 500, gate.Fail, gate.WorseThanStable)
	f("a few requests", past, 0, 20, gate.Hold, gate.Collecting)
	f("little evidence", past, 2, 130, gate.Hold, gate.EstimateAboveHold)
}

func TestCriteria_ScantPast_IsUnfit(t *testing.T) {
	t.Parallel()
	f := func(metric, hold, roll string, past *gate.Past, plain *gate.Plain, want bool) {
		t.Helper()
		q := ringQuestion(past, 10, 1000, 50*time.Millisecond)
		q.Plain = plain
		if got := criterionOf(t, metric, hold, roll).Judge(q); got.Unfit != want {
			t.Errorf("%s %s with a past of %d: unfit %v, want %v: %+v", metric, hold, past.Table.Judged(), got.Unfit, want, got)
		}
	}
	lat := 50 * time.Millisecond
	plain := &gate.Plain{Window: 5 * time.Minute, MinRequests: 100, Failures: 3}
	f("error_rate", "stable + 0.5pt", "stable + 2pt", pastOf(5, 500, lat), nil, true)
	f("error_rate", "stable + 0.5pt", "stable + 2pt", pastOf(10, 1000, lat), nil, false)
	f("error_rate", "stable + 0.5pt", "stable + 20pt", pastOf(1, 99, lat), nil, true)
	f("latency_p95", "stable * 1.25", "", pastOf(0, 150, lat), nil, true)
	f("latency_p95", "stable * 1.25", "", pastOf(0, 2000, lat), nil, false)
	f("error_rate", "stable + 0.5pt", "", pastOf(0, 99, lat), plain, true)
	f("error_rate", "stable + 0.5pt", "", pastOf(0, 100, lat), plain, false)
	f("latency_p95", "stable * 1.25", "", pastOf(0, 150, lat), plain, true)
	f("latency_p95", "stable * 1.25", "", pastOf(0, 250, lat), plain, false)
}

func TestRate_EffectOfThePast_Counts(t *testing.T) {
	t.Parallel()
	c := criterionOf(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	past := pastOf(50, 5000, 0)
	free := c.Judge(ringQuestion(past, 10, 1000, 0)).PassOdds
	past.Effect[window.BadKind] = 4
	if tied := c.Judge(ringQuestion(past, 10, 1000, 0)).PassOdds; tied >= free {
		t.Errorf("odds %v with a design effect of 4, %v without", tied, free)
	}
}
