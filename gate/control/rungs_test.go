package control

import (
	"slices"
	"testing"
	"testing/synctest"

	"serin/gate"
)

// states are a rollout's stages in words, lowest first.
func states(r RolloutStatus) []string {
	var out []string
	for _, s := range r.Stages {
		out = append(out, s.State)
	}
	return out
}

func TestStatus_StageThatNeverRan_IsNotAheadOnceItIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Hold})))
		defer p.end()
		f := func(when string, want ...string) {
			t.Helper()
			ticks(3)
			if got := states(p.rollout(t, "checkout")); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		f("at first", "current", "ahead", "ahead", "ahead")
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback})
		f("rolled back", "failed", "ahead", "ahead", "ahead")
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry, FromStage: 2})
		f("tried again from stage 2", "skipped", "current", "ahead", "ahead")
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback})
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry})
		ticks(3)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote, Full: true})
		f("promoted to the end", "passed", "skipped", "skipped", "skipped")
	})
}

func TestWaitingFor_WhatHasEnded_WaitsForNothing(t *testing.T) {
	for phase, want := range map[gate.Phase]string{gate.RolledBack: "", gate.Completed: "", gate.Waiting: "a healthy canary pool"} {
		r := &rollout{state: gate.State{Phase: phase}, decision: gate.Decision{Reason: gate.CanaryPoolUnhealthy}}
		if got := waitingFor(r); got != want {
			t.Errorf("%v: got %q, want %q", phase, got, want)
		}
	}
}
