package main

import (
	"slices"
	"testing"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/window"
)

// Without its users, a canary that hangs until its clients go away could never be rolled back: nobody knows whether they
// are more than one.
func TestKindsFor_LatencyGate_KeepsWhoWentAway(t *testing.T) {
	t.Parallel()
	limit, err := criterion.ParseLimit("stable * 1.5")
	if err != nil {
		t.Fatal(err)
	}
	for metric, want := range map[string]bool{"latency_p95": true, "error_rate": false} {
		c, err := criterion.New(criterion.Spec{Metric: metric, Rollback: limit})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(kindsFor([]gate.Criterion{c}), window.AbortKind); got != want {
			t.Errorf("%s: keeps aborts per user: %v, want %v", metric, got, want)
		}
	}
}
