package control

import (
	"maps"
	"testing"
	"testing/synctest"

	"serin/gate"
)

func TestStatus_Decided_CountsEveryDecisionFromTheFirstOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", &scripted{verdict: gate.Hold}))
		p := w.start(t, plan)
		ticks(5)
		want := map[gate.Action]uint64{gate.ActReplan: 1, gate.ActStart: 1}
		before := p.rollout(t, "checkout").Decided
		if !maps.Equal(before, want) {
			t.Fatalf("got %v, want %v: the first decision is one too, a hold that only repeats is none", before, want)
		}
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause, Actor: "ann"})
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "ann"}) // in the same moment
		want[gate.ActPause], want[gate.ActRollback] = 1, 1
		if got := p.rollout(t, "checkout").Decided; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if len(before) != 2 {
			t.Errorf("a status that was shown has changed: %v", before)
		}
		if err := p.Reload(t.Context(), planOf(policy("other", &scripted{}))); err != nil {
			t.Fatal(err)
		}
		if err := p.Reload(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		ticks(1)
		got := p.rollout(t, "checkout").Decided
		for action, n := range want {
			if got[action] < n {
				t.Errorf("%v: %d after the rollout came back, %d before: a counter went down", action, got[action], n)
			}
		}
		p.end()
		p = w.start(t, plan)
		defer p.end()
		ticks(1)
		if got := p.rollout(t, "checkout").Decided; got[gate.ActPause] != 0 {
			t.Errorf("after a restart: %v: what the journal brought back was decided before", got)
		}
	})
}
