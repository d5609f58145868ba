package sim

import (
	"testing"
	"time"

	"serin/gate/window"
)

func stageOf(minutes int, stable, canary window.Counts) []minute {
	out := make([]minute, minutes)
	for i := range out {
		out[i] = minute{stable, canary}
	}
	return out
}

func TestNaiveRules_CallWhatTheyAreMadeFor(t *testing.T) {
	t.Parallel()
	good, bad := window.Counts{X: 10, N: 1000}, window.Counts{X: 50, N: 1000}
	for _, r := range naiveRules() {
		if r.bad(stageOf(10, good, good), .01) {
			t.Errorf("%s: equal arms are called bad", r.name)
		}
		if !r.bad(stageOf(10, good, bad), .01) {
			t.Errorf("%s: five times the errors are not called bad", r.name)
		}
		if r.bad(stageOf(10, good, window.Counts{}), .01) {
			t.Errorf("%s: a canary without traffic is called bad", r.name)
		}
	}
}

func TestMannWhitney_MatchesTheTableOfItsStatistic(t *testing.T) {
	t.Parallel()
	rates := func(s, c []float64) []minute {
		out := make([]minute, len(s))
		for i := range s {
			out[i] = minute{window.Counts{X: s[i], N: 100}, window.Counts{X: c[i], N: 100}}
		}
		return out
	}
	// n = m = 5: U = 25 has a one-sided p of 1/252, U = 22 of 7/252.
	if !mannWhitney(rates([]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}), 0) {
		t.Error("five above five are not called bad at 1 %")
	}
	if mannWhitney(rates([]float64{1, 2, 3, 4, 8}, []float64{5, 6, 7, 9, 10}), 0) {
		t.Error("U = 22 is called bad at 1 %")
	}
	if mannWhitney(rates([]float64{1, 2, 3, 4}, []float64{6, 7, 8, 9}), 0) {
		t.Error("judged between its intervals")
	}
}

func TestRunNaive_PlaysTheLadder(t *testing.T) {
	t.Parallel()
	quiet := rule{name: "never bad", bad: func([]minute, float64) bool { return false }, strikes: 1}
	o := runNaive(quiet, World{RPS: 200, StableError: .01, CanaryError: .01}, 1)
	if !o.Promoted || o.Reached != 45*time.Minute || o.CanaryRequests < 50_000 {
		t.Errorf("got %+v", o)
	}
	nervous := rule{name: "always bad", bad: func([]minute, float64) bool { return true }, strikes: 3}
	if o := runNaive(nervous, World{RPS: 200}, 1); !o.RolledBack || o.Duration != 3*time.Minute {
		t.Errorf("got %+v", o)
	}
	undecided := rule{name: "bad without end", bad: func([]minute, float64) bool { return true }, strikes: 1 << 30}
	if o := runNaive(undecided, World{RPS: 20, Horizon: time.Hour}, 1); o.RolledBack || o.Promoted || o.HeldAt != 100 {
		t.Errorf("got %+v", o)
	}
}
