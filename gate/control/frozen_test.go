package control

import (
	"strings"
	"testing"
	"testing/synctest"

	"serin/gate"
)

// A version that must not be reverted stays where it failed, over a kill and a reload, until a person decides.
func TestOnFailFreeze_OutlivesAKillAndAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		frozen := func() *gate.Policy {
			p := policy("checkout", g)
			p.OnFail = "freeze"
			return p
		}
		p := w.start(t, planOf(frozen()))
		ticks(15)
		g.answer(gate.Fail)
		ticks(5)
		check := func(p *process, w *world, when string) {
			t.Helper()
			r := p.rollout(t, "checkout")
			if r.Phase != gate.Holding || w.weight("checkout") != 500 || r.State.Cause != gate.CauseFailed || !strings.Contains(r.Sentence, "must not be reverted") {
				t.Errorf("%s: %s at %s for %s: %s", when, r.Phase, w.weight("checkout"), r.State.Cause, r.Sentence)
			}
		}
		check(p, w, "at once")
		g.answer(gate.Pass)
		ticks(3600)
		check(p, w, "an hour of passing later")
		next := w.reborn()
		p.end()
		again := next.start(t, planOf(frozen()))
		defer again.end()
		ticks(5)
		check(again, next, "after the kill")
		if err := again.Reload(t.Context(), planOf(frozen())); err != nil {
			t.Fatal(err)
		}
		ticks(5)
		check(again, next, "after the reload")
		again.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "alice", Reason: "after all"})
		if next.weight("checkout") != 0 {
			t.Errorf("a person's rollback left %s", next.weight("checkout"))
		}
	})
}

// A rollout on watch: what a person moved stays moved over a kill, and the gates move nothing.
func TestDryRun_PersonMoves_GatesDoNot_AcrossAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		watched := func() *gate.Policy {
			p := policy("checkout", g)
			p.DryRun = true
			return p
		}
		p := w.start(t, planOf(watched()))
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Stage.Index != 1 || w.weight("checkout") != 0 {
			t.Fatalf("by itself: stage %d at %s", r.Stage.Index, w.weight("checkout"))
		}
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote, Actor: "alice", Reason: "by hand"})
		ticks(60)
		if w.weight("checkout") != 100 {
			t.Fatalf("promoted to %s, want 1 %%", w.weight("checkout"))
		}
		if d := p.rollout(t, "checkout").LastDecision.Decision; !d.DryRun || d.Action != gate.ActAdvance || d.Would != 500 {
			t.Errorf("would: %+v", d)
		}
		next := w.reborn()
		p.end()
		again := next.start(t, planOf(watched()))
		defer again.end()
		g.answer(gate.Fail)
		ticks(30)
		if d := again.rollout(t, "checkout").LastDecision.Decision; next.weight("checkout") != 100 || !d.DryRun || d.Action != gate.ActRollback {
			t.Errorf("after the kill: %s, %+v", next.weight("checkout"), d)
		}
	})
}
