package control

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

func TestLoop_EverythingPasses_ClimbsTheLadderAndCompletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		var seen []router.Weight
		for range 60 {
			ticks(1)
			if weight := w.weight("checkout"); len(seen) == 0 || seen[len(seen)-1] != weight {
				seen = append(seen, weight)
			}
		}
		if want := []router.Weight{0, 100, 500, 2500, 9900, 10000}; !slices.Equal(seen, want) && !slices.Equal(seen, want[1:]) {
			t.Errorf("weights %v, want %v", seen, want)
		}
		r := p.rollout(t, "checkout")
		if r.Phase != gate.Completed || r.Weight != 1 || r.Attempt != 1 || r.LastDecision == nil || r.LastDecision.Decision.Action != gate.ActComplete {
			t.Errorf("got phase %s weight %v attempt %d last %+v", r.Phase, r.Weight, r.Attempt, r.LastDecision)
		}
		got, err := p.Decisions("checkout", time.Time{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range got {
			if want := fmt.Sprintf("checkout-1-%d", len(got)-i); e.ID != want || e.Sentence == "" {
				t.Errorf("decision %d: id %s, want %s, sentence %q", i, e.ID, want, e.Sentence)
			}
		}
	})
}

// order is where the effects stand in the list, -1 when missing; the search for each goes on behind the one before.
func order(effects []string, wanted ...string) []int {
	out, from := []int{}, 0
	for _, want := range wanted {
		i := slices.Index(effects[from:], want)
		if i < 0 {
			return append(out, -1)
		}
		from += i + 1
		out = append(out, from-1)
	}
	return out
}

func TestLoop_Raise_IsSyncedBeforeItIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		for _, weight := range []string{"1 %", "5 %", "25 %", "99 %", "100 %"} {
			for range 30 {
				ticks(1)
				effects := w.took()
				if set := slices.IndexFunc(effects, func(e string) bool { return e == "set checkout "+weight }); set >= 0 {
					at := order(effects[:set], "write decisions.jsonl", "sync decisions.jsonl")
					if at[len(at)-1] < 0 {
						t.Errorf("set to %s with %q before", weight, effects[:set])
					}
					break
				}
			}
			if got := w.weight("checkout").String(); got != weight {
				t.Fatalf("weight %s, want %s", got, weight)
			}
		}
	})
}

func TestLoop_Fail_IsSetWithinTheTickAndWrittenAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		ticks(15)
		if w.weight("checkout") != 500 {
			t.Fatalf("weight %s, want 5 %%", w.weight("checkout"))
		}
		w.took()
		g.answer(gate.Fail)
		began := time.Now()
		for w.weight("checkout") != 0 {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		if took := time.Since(began); took > time.Second+2*time.Millisecond {
			t.Errorf("weight 0 after %s, want within a tick", took)
		}
		if at := order(w.took(), "set checkout 0 %", "write decisions.jsonl", "sync decisions.jsonl"); at[len(at)-1] < 0 {
			t.Errorf("order %v", at)
		}
		r := p.rollout(t, "checkout")
		if r.Phase != gate.RolledBack || r.Weight != 0 || r.LastDecision.Decision.Reason != gate.WorseThanStable {
			t.Errorf("got %s at %v, last %+v", r.Phase, r.Weight, r.LastDecision.Decision)
		}
		g.answer(gate.Pass)
		ticks(600)
		if w.weight("checkout") != 0 {
			t.Error("a rolled-back revision came back by itself")
		}
	})
}

func TestOperate_IfVersionRace_ExactlyOneWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{})))
		defer p.end()
		ticks(3)
		version := p.rollout(t, "checkout").Version
		const n = 20
		decisions := make(chan gate.Decision, n)
		for range n {
			go func() {
				d, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPromote, IfVersion: &version})
				if err != nil {
					t.Error(err)
				}
				decisions <- d
			}()
		}
		done := 0
		for range n {
			if d := <-decisions; d.Action == gate.ActPromote {
				done++
			} else if d.Refusal != gate.RefusedVersion {
				t.Errorf("got %+v", d)
			}
		}
		if done != 1 || w.weight("checkout") != 500 {
			t.Errorf("%d promoted to %s, want one to 5 %%", done, w.weight("checkout"))
		}
	})
}

func TestOperate_AnswerOfARollback_IsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		ticks(15)
		w.setSlow("sync", 300*time.Millisecond)
		d, e, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "ann", Reason: "smells"})
		if err != nil || d.Action != gate.ActRollback || e.ID == "" || e.Decision.Actor != "ann" || e.Decision.Note != "smells" {
			t.Fatalf("got %+v %+v %v", d, e, err)
		}
		w.kill()
		p.end()
		w = w.reborn()
		p = w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		if r := p.rollout(t, "checkout"); r.Phase != gate.RolledBack || r.LastDecision.ID != e.ID {
			t.Errorf("after a kill: %s, last %+v", r.Phase, r.LastDecision)
		}
	})
}

// kill ends all effects, as kill -9 does.
func (w *world) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = func(string) bool { return false }
}

func TestOperate_UnknownRolloutAndEndedLoop_AreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{})))
		ticks(1)
		if _, _, err := p.Operate(t.Context(), strings.Repeat("x", 1<<20), gate.Operator{Verb: gate.VerbPause}); !errors.Is(err, ErrUnknownRollout) {
			t.Errorf("got %v", err)
		}
		p.end()
		if _, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPause}); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v", err)
		}
		if err := p.Reload(t.Context(), planOf()); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLoop_StandsStill_IsSeenAndGoesOnWithoutADoubleStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(3)
		if _, stalled := p.Stalled(); stalled {
			t.Error("stalled while it ran")
		}
		goOn := make(chan struct{})
		w.mu.Lock()
		w.still = goOn // a suspended machine, or a deadlock elsewhere
		w.mu.Unlock()
		time.Sleep(10 * time.Minute)
		if idle, stalled := p.Stalled(); !stalled || idle < 9*time.Minute {
			t.Errorf("got %v, %v, want stalled", idle, stalled)
		}
		if w.weight("checkout") != 100 {
			t.Errorf("weight %s, want 1 %%", w.weight("checkout"))
		}
		w.mu.Lock()
		w.still = nil
		w.mu.Unlock()
		close(goOn)
		ticks(2)
		if _, stalled := p.Stalled(); stalled {
			t.Error("still stalled")
		}
		if r := p.rollout(t, "checkout"); w.weight("checkout") != 100 || r.Stage.Elapsed > 6*time.Second {
			t.Errorf("weight %s, stage clock %v: ten minutes of nothing counted", w.weight("checkout"), r.Stage.Elapsed)
		}
	})
}

func TestSubscribe_SlowReader_IsDroppedOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{})))
		ticks(1)
		slow, err := p.Subscribe(2)
		if err != nil {
			t.Fatal(err)
		}
		quick, err := p.Subscribe(100)
		if err != nil {
			t.Fatal(err)
		}
		ticks(10)
		n := 0
		for range slow.C {
			n++
		}
		if n != 2 {
			t.Errorf("the slow reader got %d states, want 2 and the end", n)
		}
		if first := <-quick.C; first.Rollouts[0].Name != "checkout" {
			t.Errorf("got %+v", first)
		}
		for range maxWatchers - 1 {
			if _, err := p.Subscribe(1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Subscribe(1); !errors.Is(err, ErrTooMany) {
			t.Errorf("got %v, want ErrTooMany", err)
		}
		p.end()
		for range quick.C {
		}
		quick.Close()
		if _, err := p.Subscribe(1); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
	})
}

func TestStatus_WhileARaiseWaitsForTheDisk_NoRequestIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(5)
		w.plane("checkout").record(router.Canary, window.Success, 100)
		w.setSlow("sync", 700*time.Millisecond)
		var failed uint64
		for ; w.weight("checkout") == 100; failed++ {
			w.plane("checkout").record(router.Canary, window.ServerError, 1)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		w.setSlow("sync", 0)
		ticks(2)
		if r := p.rollout(t, "checkout"); r.Exposure.Requests != 100+failed || r.Exposure.Failed != failed {
			t.Errorf("got %+v, want %d failed of %d", r.Exposure, failed, 100+failed)
		}
	})
}

func TestStatus_Traffic_IsCountedOverStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		p := w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		ticks(2)
		plane := w.plane("checkout")
		plane.record(router.Stable, window.Success, 900)
		plane.record(router.Canary, window.Success, 90)
		plane.record(router.Canary, window.ServerError, 10)
		w.mu.Lock()
		plane.keyless = 100
		w.mu.Unlock()
		ticks(1)
		r := p.rollout(t, "checkout")
		if r.Canary.Requests != 100 || r.Canary.Errors != 10 || r.Stable.Requests != 900 || r.Canary.P99 == 0 || r.Canary.Rate == 0 {
			t.Errorf("got %+v %+v", r.Stable, r.Canary)
		}
		if r.ObservedWeight == nil || *r.ObservedWeight != .1 || r.KeyMissingRatio < .09 || r.KeyMissingRatio > .1 {
			t.Errorf("observed %v, key missing %v", r.ObservedWeight, r.KeyMissingRatio)
		}
		if r.Exposure.Requests != 100 || r.Exposure.Failed != 10 || r.Stage.Index != 1 || r.Stages[0].State != "current" || r.Stages[1].State != "ahead" {
			t.Errorf("got %+v %+v %+v", r.Exposure, r.Stage, r.Stages)
		}
		if r.Sentence == "" || r.Next == "" || !slices.Contains(r.Allowed, "rollback") || r.Route != "shop" {
			t.Errorf("got %q %q %q", r.Sentence, r.Next, r.Allowed)
		}
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote, Reason: "test"})
		w.plane("checkout").record(router.Canary, window.ServerError, 5)
		ticks(1)
		r = p.rollout(t, "checkout")
		if r.Canary.Requests != 5 || r.Exposure.Requests != 105 || r.Exposure.Failed != 15 {
			t.Errorf("second stage: %+v, exposure %+v", r.Canary, r.Exposure)
		}
	})
}
