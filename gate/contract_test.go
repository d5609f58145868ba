package gate_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// asking remembers what it was asked last.
type asking struct {
	told
	last *gate.Question
	fail bool
}

func (c asking) CanFail() bool { return c.fail }

func (c asking) Judge(q gate.Question) gate.Finding {
	*c.last = q
	return c.told.Judge(q)
}

// What Step hands to its gates is gate.md's: K crossings with the bake, C gates that can fail, the share of the users that
// the crossing answers for, and alphas, of which the pass's is halved by each restart of the evidence.
func TestStep_Question_IsTheMethods(t *testing.T) {
	t.Parallel()
	var q gate.Question
	p := &gate.Policy{
		Rollout: "shop", Revision: "v2", Holdback: 100, HoldTimeout: time.Hour, OnHoldTimeout: "ask",
		Criteria: []gate.Criterion{asking{told{"error_rate"}, &q, true}, asking{told{"latency_p95"}, &q, true}, asking{told{"abort_rate"}, &q, false}},
	}
	for _, w := range []int{100, 500, 2500, 10_000} {
		p.Stages = append(p.Stages, gate.Stage{Weight: router.Weight(w), Least: time.Minute})
	}
	now, s := time.Unix(0, 0), gate.State{}
	tick := func(tell int) gate.Decision {
		var d gate.Decision
		now = now.Add(time.Second)
		s, d = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tell)})
		return d
	}
	shares := map[int]float64{}
	for s.Phase != gate.Completed {
		if d := tick(tellPass); d.Action == gate.ActHold && s.Stage > 0 {
			shares[s.Stage] = q.NextShare
			if q.Crossings != 4 || q.Failers != 2 || q.AlphaFail != .01 || q.AlphaPass != .05 {
				t.Fatalf("stage %d: K %d, C %d, alphas %v and %v, want 4, 2, .01 and .05", s.Stage, q.Crossings, q.Failers, q.AlphaFail, q.AlphaPass)
			}
			if q.Dwelled != (s.Clock >= time.Minute) {
				t.Fatalf("stage %d after %v: dwelled %v", s.Stage, s.Clock, q.Dwelled)
			}
		}
		if s.Stage == 2 && s.Clock == 10*time.Second { // a clock that stood has not dwelled
			seen := healthySeen(tellPass)
			seen.CanaryHealthy = false
			for range 120 {
				now = now.Add(time.Second)
				s, _ = gate.Step(s, p, now, gate.Tick{Seen: seen})
			}
			if q.Dwelled || s.Age < 2*time.Minute {
				t.Fatalf("without a healthy canary: dwelled %v after %v on the clock, age %v", q.Dwelled, s.Clock, s.Age)
			}
		}
	}
	if want := map[int]float64{1: .05, 2: .25, 3: 1, 4: .01}; fmt.Sprint(shares) != fmt.Sprint(want) {
		t.Errorf("shares by stage: got %v, want %v", shares, want)
	}
}

// A confirmed finding that was gone for five minutes restarts the evidence, once; passing then takes twice the odds.
func TestStep_ClearedHold_HalvesThePassesAlphaOnce(t *testing.T) {
	t.Parallel()
	var q gate.Question
	p := &gate.Policy{
		Rollout: "shop", Revision: "v2", Holdback: 100, HoldTimeout: 24 * time.Hour, OnHoldTimeout: "ask",
		Stages:   []gate.Stage{{Weight: 100, Least: time.Minute}, {Weight: 10_000, Least: time.Minute}},
		Criteria: []gate.Criterion{asking{told{"error_rate"}, &q, true}},
	}
	now, s := time.Unix(0, 0), gate.State{}
	run := func(tell int, d time.Duration) {
		for end := now.Add(d); now.Before(end); {
			now = now.Add(time.Second)
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tell)})
		}
	}
	run(tellHold, 10*time.Second)
	run(tellConfirmed, time.Second)
	run(tellClear, 5*time.Minute-time.Second)
	if s.Phase != gate.Holding || s.Restarts != 0 {
		t.Fatalf("a second before: %s, %d restarts", s.Phase, s.Restarts)
	}
	run(tellClear, time.Second)
	if s.Phase != gate.Progressing || s.Restarts != 1 || s.Clock != 0 {
		t.Fatalf("after five minutes: %s, %d restarts, %v on the clock", s.Phase, s.Restarts, s.Clock)
	}
	run(tellHold, time.Second)
	if q.AlphaPass != .025 {
		t.Errorf("alpha of the pass: got %v, want .025", q.AlphaPass)
	}
	run(tellConfirmed, time.Second)
	run(tellClear, time.Hour)
	if s.Phase != gate.Holding || s.Restarts != 1 {
		t.Errorf("a second time: %s, %d restarts, want it held", s.Phase, s.Restarts)
	}
}

// Stable is sick above twice its rate before and above it by two points, with odds of a hundred.
func TestStep_SickStable_AtItsEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		before     float64
		bad, of    uint64
		effect     float64
		sick       bool
		beforeSeen float64
	}{
		{"far above", .01, 200, 2000, 1, true, 1e5},
		{"three times, less than two points", .002, 120, 20_000, 1, false, 1e5},
		{"three points more, less than twice", .05, 1600, 20_000, 1, false, 1e5},
		{"twice and two points, without the odds", .01, 8, 150, 1, false, 1e5},
		{"odds of sixty", .01, 16, 200, 1, false, 1e5},
		{"odds of five hundred", .01, 18, 200, 1, true, 1e5},
		{"the odds fall to the design effect", .01, 60, 1000, 1, true, 1e5},
		{"and are gone", .01, 60, 1000, 4, false, 1e5},
		{"nobody knows what it was", .01, 200, 2000, 1, false, 10},
	} {
		p := &gate.Policy{
			Rollout: "shop", Revision: "v2", Holdback: 100, Criteria: []gate.Criterion{told{"error_rate"}},
			Stages: []gate.Stage{{Weight: 100, Least: time.Second}, {Weight: 10_000, Least: time.Minute}},
		}
		now, s := time.Unix(0, 0), gate.State{}
		var d gate.Decision
		for range 5 {
			seen := healthySeen(tellPass)
			v := &seen.View
			v.Before = window.Counts{X: tt.before * tt.beforeSeen, N: tt.beforeSeen}
			v.Crowds[window.BadKind].DesignEffect = tt.effect
			v.W60.OK, v.Full.OK = true, true
			v.W60.Stable.Outcomes[window.ServerError], v.W60.Stable.Outcomes[window.Success] = tt.bad, tt.of-tt.bad
			v.Full.Stable.Outcomes = v.W60.Stable.Outcomes
			now = now.Add(time.Second)
			s, d = gate.Step(s, p, now, gate.Tick{Seen: seen})
		}
		if got := d.Reason == gate.StableUnhealthy; got != tt.sick || tt.sick != (s.Stage == 1) {
			t.Errorf("%s: sick %v at stage %d (%s), want %v", tt.name, got, s.Stage, d.Reason, tt.sick)
		}
	}
}

// A canary that nobody reaches while stable answers is dead: all of at least twenty requests.
func TestStep_DeadCanary_AtItsEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		lost, answered     uint64
		stableLost         uint64
		canaryUp, stableUp bool
		dead               bool
	}{
		{"twenty of twenty", 20, 0, 0, true, true, true},
		{"nineteen of nineteen", 19, 0, 0, true, true, false},
		{"one answer", 40, 1, 0, true, true, false},
		{"half, and no healthy server", 20, 20, 0, false, true, true},
		{"less than half, and no healthy server", 19, 21, 0, false, true, false},
		{"stable is lost as often", 40, 0, 60, true, true, false},
		{"stable has no healthy server", 40, 0, 0, true, false, false},
	} {
		p := &gate.Policy{
			Rollout: "shop", Revision: "v2", Holdback: 100, Criteria: []gate.Criterion{told{"error_rate"}},
			Stages: []gate.Stage{{Weight: 100, Least: time.Hour}, {Weight: 10_000, Least: time.Minute}},
		}
		now, s := time.Unix(0, 0), gate.State{}
		for range 3 {
			now = now.Add(time.Second)
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tellHold)})
		}
		seen := healthySeen(tellHold)
		seen.CanaryHealthy, seen.StableHealthy = tt.canaryUp, tt.stableUp
		r := &seen.View.Recent
		r.OK = true
		r.Canary.Outcomes[window.Unreachable], r.Canary.Outcomes[window.Success] = tt.lost, tt.answered
		r.Stable.Outcomes[window.Unreachable], r.Stable.Outcomes[window.Success] = tt.stableLost, 100-tt.stableLost
		now = now.Add(time.Second)
		s, d := gate.Step(s, p, now, gate.Tick{Seen: seen})
		if got := s.Phase == gate.RolledBack && d.Reason == gate.CanaryPoolUnhealthy; got != tt.dead {
			t.Errorf("%s: got %s %s, want dead %v", tt.name, s.Phase, d.Reason, tt.dead)
		}
	}
}

// Keys are skewed where one bucket has more than a fifth of the requests, or the canary far more than its share.
func TestStep_SkewedKeys_AtTheirEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		heaviest, observed float64
		n                  uint64
		skewed             bool
	}{
		{.21, -1, 1000, true}, {.2, -1, 1000, false}, {.9, -1, 100, false}, // 90 of the one user
		{.01, .041, 1000, true}, {.01, .04, 1000, false}, {.01, .9, 400, false}, {0, math.NaN(), 1000, false},
	} {
		p := &gate.Policy{
			Rollout: "shop", Revision: "v2", Holdback: 100, Criteria: []gate.Criterion{told{"error_rate"}},
			Stages: []gate.Stage{{Weight: 100, Least: time.Hour}, {Weight: 10_000, Least: time.Minute}},
		}
		now, s := time.Unix(0, 0), gate.State{}
		for range 4 {
			seen := healthySeen(tellHold)
			seen.ObservedWeight = tt.observed
			seen.View.Crowds[window.All].HeaviestShare = tt.heaviest
			seen.View.Full.Stable.Outcomes[window.Success] = tt.n
			now = now.Add(time.Second)
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: seen})
		}
		if got := s.Cause == gate.CauseSkewed; got != tt.skewed {
			t.Errorf("%+v: got %s %s", tt, s.Phase, s.Cause)
		}
	}
}

// A widening is named as a possible cause for a minute, and no longer.
func TestStep_Widening_IsNamedForAMinute(t *testing.T) {
	t.Parallel()
	p := &gate.Policy{
		Rollout: "shop", Revision: "v2", Holdback: 100, Criteria: []gate.Criterion{told{"error_rate"}},
		Stages: []gate.Stage{{Weight: 100, Least: time.Hour}, {Weight: 10_000, Least: time.Hour}},
	}
	now, s := time.Unix(0, 0), gate.State{}
	for range 200 {
		var d gate.Decision
		now = now.Add(time.Second)
		s, d = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tellHold)})
		if want := s.Stage == 1 && s.Age < time.Minute; d.Raised != want {
			t.Fatalf("%v after the first users came: raised %v, want %v", s.Age, d.Raised, want)
		}
	}
}
