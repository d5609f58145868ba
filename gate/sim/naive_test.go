package sim

import (
	"testing"
	"time"

	"serin/gate/window"
	"serin/router"
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
		if got, want := r.bad(stageOf(10, good, window.Counts{}), .01), r.name == "Flagger"; got != want {
			t.Errorf("%s: a canary without traffic is called bad: %v, want %v", r.name, got, want)
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
}

func TestRunNaive_PlaysTheLadder(t *testing.T) {
	t.Parallel()
	never, always := func([]minute, float64) bool { return false }, func([]minute, float64) bool { return true }
	quiet := rule{name: "never bad", bad: never, every: 1, strikes: 1}
	o := runNaive(quiet, World{RPS: 200, StableError: .01, CanaryError: .01}, 1)
	if !o.Promoted || o.Reached != 45*time.Minute || o.Widest != router.Full || o.CanaryRequests < 50_000 {
		t.Errorf("got %+v", o)
	}
	for _, tt := range []struct {
		name string
		rule rule
		want time.Duration
	}{
		{"at the last strike", rule{bad: always, every: 1, strikes: 3}, 3 * time.Minute},
		{"at the look after it", rule{bad: always, every: 1, strikes: 3, halts: true, late: true}, 4 * time.Minute},
		{"at its own looks only, over stages", rule{bad: always, every: 5, strikes: 4}, 20 * time.Minute},
	} {
		if o := runNaive(tt.rule, World{RPS: 200}, 1); !o.RolledBack || o.Duration != tt.want {
			t.Errorf("%s: got %+v, want a rollback after %v", tt.name, o, tt.want)
		}
	}
	undecided := rule{name: "bad without end", bad: always, every: 1, strikes: 1 << 30, halts: true}
	if o := runNaive(undecided, World{RPS: 20, Horizon: time.Hour}, 1); o.RolledBack || o.Promoted || o.HeldAt != 100 {
		t.Errorf("got %+v", o)
	}
	undecided.halts = false
	if o := runNaive(undecided, World{RPS: 20, Horizon: time.Hour}, 1); !o.Promoted {
		t.Errorf("a rule that does not halt: got %+v", o)
	}
}
