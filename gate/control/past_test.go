package control

import (
	"errors"
	"testing"
	"testing/synctest"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/journal"
	"serin/gate/replay"
)

// limits are an error gate of one's own.
func limits(t *testing.T, hold, rollback string) gate.Criterion {
	t.Helper()
	spec := criterion.Spec{Metric: "error_rate"}
	for text, into := range map[string]**criterion.Limit{hold: &spec.Hold, rollback: &spec.Rollback} {
		limit, err := criterion.ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		*into = limit
	}
	c, err := criterion.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What the loop records is what it judged: the same gates decide the same, stricter ones what they would have.
func TestPast_OfARealRelease_ReplaysAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.users = true
		loose := func() *gate.Policy { return policy("checkout", limits(t, "stable + 5pt", "stable + 10pt")) }
		p := w.start(t, planOf(loose()))
		synctest.Wait()
		stop := w.traffic("checkout", 400, .01, .04)
		for range 1200 {
			ticks(1)
			if p.rollout(t, "checkout").Phase == gate.Completed {
				break
			}
		}
		stop()
		if r := p.rollout(t, "checkout"); r.Phase != gate.Completed {
			t.Fatalf("%s: %s", r.Phase, r.Sentence)
		}
		p.end()
		past, err := journal.ReadPast("s", w)
		if err != nil || past.Damaged != 0 || len(past.Windows) == 0 {
			t.Fatalf("%d windows, %d damaged, %v", len(past.Windows), past.Damaged, err)
		}
		got := replay.Attempts(past, "checkout", loose())
		if len(got) != 1 || got[0].Outcome != replay.Same || got[0].Ended != "completed" || len(got[0].Points) != 4 {
			t.Fatalf("the same gates: %+v", got)
		}
		strict := policy("checkout", limits(t, "stable + 0.5pt", "stable + 1pt"))
		if got := replay.Attempts(past, "checkout", strict); got[0].Outcome != replay.RolledBack || got[0].Spared == 0 {
			t.Errorf("stricter gates: %+v", got[0])
		}
	})
}

// Windows that cannot be written hold nothing up.
func TestPast_DiskTakesNoWindows_TheReleaseGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hook = func(effect string) bool { return effect != "write windows.jsonl" && effect != "append windows.jsonl" }
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Phase != gate.Completed {
			t.Errorf("%s at %v", r.Phase, r.Weight)
		}
		p.end()
		if past, err := journal.ReadPast("s", w); err != nil && !errors.Is(err, errDead) || past != nil && len(past.Windows) > 0 {
			t.Errorf("got %+v, %v", past, err)
		}
	})
}
