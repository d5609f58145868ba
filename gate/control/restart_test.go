package control

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

func TestRestart_KilledInMidStage_EverythingComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		plan := planOf(policy("checkout", g))
		w.users = true
		p := w.start(t, plan)
		synctest.Wait()
		noisy := w.plane("checkout")
		for range 2000 {
			noisy.stable.Record(1, 7, window.ServerError, 0)
			noisy.stable.Record(1, 7, window.Success, time.Millisecond)
		}
		noisy.record(router.Stable, window.Success, 100_000)
		ticks(1)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote})
		ticks(1)
		w.plane("checkout").record(router.Stable, window.Success, 9500)
		w.plane("checkout").record(router.Canary, window.Success, 480)
		w.plane("checkout").record(router.Canary, window.ServerError, 20)
		ticks(7) // at least one save
		before := p.rollout(t, "checkout")
		if before.Weight != .05 || before.Canary.Requests != 500 || before.Users.MaskedBuckets != 1 || !w.settingOf("checkout").Mask.Has(7) {
			t.Fatalf("got %+v", before)
		}
		w.kill()
		p.end()

		time.Sleep(time.Hour) // nobody was there
		w = w.reborn()
		w.users = true
		p = w.start(t, plan)
		if got := w.weight("checkout"); got != 500 {
			t.Fatalf("installed at %s, want 5 %%", got)
		}
		synctest.Wait()
		first := p.rollout(t, "checkout")
		if first.Canary.Requests != 500 || first.Canary.Errors != 20 || first.Reason != gate.RestartReplayed ||
			first.Sentence != "Holding at 5 %: restored after a restart; the next look decides." {
			t.Errorf("before the first look: got %+v, reason %q: %s", first.Canary, first.Reason, first.Sentence)
		}
		w.plane("checkout").record(router.Canary, window.Success, 100)
		ticks(1)
		after := p.rollout(t, "checkout")
		if after.Phase != gate.Progressing || after.Stage.Index != 2 || after.Attempt != 1 || after.Version != before.Version || after.Reason == "" {
			t.Errorf("got phase %s stage %d attempt %d version %d", after.Phase, after.Stage.Index, after.Attempt, after.Version)
		}
		if after.Canary.Requests != 600 || after.Canary.Errors != 20 || after.Stable.Requests != 9499 {
			t.Errorf("evidence: %+v %+v (one stable request was of the masked bucket)", after.Stable, after.Canary)
		}
		if after.Users.MaskedBuckets != 1 || !w.settingOf("checkout").Mask.Has(7) || after.Exposure.Requests != before.Exposure.Requests+100 {
			t.Errorf("mask %d, exposure %+v before %+v", after.Users.MaskedBuckets, after.Exposure, before.Exposure)
		}
		if after.Exposure.Users < before.Exposure.Users || before.Exposure.Users == 0 || after.Exposure.UsersFailed != before.Exposure.UsersFailed {
			t.Errorf("exposure %+v, before %+v", after.Exposure, before.Exposure)
		}
		if e := after.Stage.Elapsed; e > before.Stage.Elapsed+time.Second || e < before.Stage.Elapsed-5*time.Second {
			t.Errorf("stage clock %s, before %s: the hour of absence counted, or was more than a save lost", e, before.Stage.Elapsed)
		}
		g.answer(gate.Pass)
		ticks(20)
		if w.weight("checkout") <= 500 {
			t.Error("the ladder does not go on after a restart")
		}
		p.end()
	})
}

func TestRestart_StateUnreadable_EverybodyIsOnStableUntilRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", &scripted{verdict: gate.Pass}))
		p := w.start(t, plan)
		ticks(15)
		p.end()
		w.disk.WriteFile("s/state.json", []byte("{"))
		w.disk.WriteFile("s/state.prev.json", []byte(`{"v":7}`))

		w = w.reborn()
		p = w.start(t, plan)
		ticks(120)
		r := p.rollout(t, "checkout")
		if w.weight("checkout") != 0 || r.Phase != gate.RolledBack || r.Reason != gate.RestartReplayed {
			t.Errorf("weight %s phase %s reason %s", w.weight("checkout"), r.Phase, r.Reason)
		}
		if r.LastDecision == nil || r.LastDecision.Decision.Reason != gate.RestartReplayed || r.LastDecision.Sentence == "" {
			t.Errorf("last decision %+v", r.LastDecision)
		}
		p.end()

		w = w.reborn() // a second restart finds the same
		p = w.start(t, plan)
		defer p.end()
		ticks(30)
		if w.weight("checkout") != 0 {
			t.Fatalf("weight %s after the second restart", w.weight("checkout"))
		}
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry, Actor: "ann"}); d.Action != gate.ActRetry {
			t.Errorf("retry: %+v", d)
		}
		ticks(2)
		if w.weight("checkout") != 100 {
			t.Errorf("weight %s after retry, want 1 %%", w.weight("checkout"))
		}
	})
}

func TestRestart_Completed_KeepsServingTheCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", &scripted{verdict: gate.Pass}))
		p := w.start(t, plan)
		ticks(60)
		w.kill()
		p.end()
		w = w.reborn()
		p = w.start(t, plan)
		if w.weight("checkout") != router.Full {
			t.Errorf("installed at %s, want 100 %%", w.weight("checkout"))
		}
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Phase != gate.Completed || w.weight("checkout") != router.Full {
			t.Errorf("%s at %s", r.Phase, w.weight("checkout"))
		}
		p.end()
	})
}

func TestRestart_WithAnotherRevision_InstallsItAtZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		ticks(25)
		p.end()
		if w.weight("checkout") != 2500 {
			t.Fatalf("weight %s, want 25 %%", w.weight("checkout"))
		}
		next := policy("checkout", &scripted{verdict: gate.Hold})
		next.Revision = "v3"
		w = w.reborn()
		p = w.start(t, planOf(next))
		defer p.end()
		if w.weight("checkout") != 0 {
			t.Errorf("v3 installed at %s", w.weight("checkout"))
		}
		ticks(3)
		if r := p.rollout(t, "checkout"); r.Attempt != 2 || r.Revision != "v3" || w.weight("checkout") != 100 {
			t.Errorf("attempt %d of %s at %s", r.Attempt, r.Revision, w.weight("checkout"))
		}
	})
}

func TestReload_SamePlanManyTimes_MovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		p := w.start(t, planOf(policy("checkout", g), policy("search", g)))
		defer p.end()
		ticks(2)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote})
		w.plane("checkout").record(router.Canary, window.Success, 50)
		ticks(1)
		before, step := p.rollout(t, "checkout"), w.settingOf("checkout").Step
		w.took()
		for i := range 1000 {
			if i%7 == 0 {
				ticks(1)
			}
			if err := p.Reload(t.Context(), planOf(policy("search", g), policy("checkout", g))); err != nil {
				t.Fatal(err)
			}
		}
		ticks(1)
		after := p.rollout(t, "checkout")
		if after.Weight != before.Weight || after.Version != before.Version || w.settingOf("checkout").Step != step || after.Canary.Requests != 50 {
			t.Errorf("got %v version %d step %d, want %v %d %d", after.Weight, after.Version, w.settingOf("checkout").Step, before.Weight, before.Version, step)
		}
		if after.Stage.Elapsed <= before.Stage.Elapsed {
			t.Error("the stage clock was restarted")
		}
		if i := slices.IndexFunc(w.took(), func(e string) bool { return e[:3] == "set" }); i >= 0 {
			t.Error("a reload set a weight")
		}
		if p.Status().Rollouts[0].Name != "search" {
			t.Error("the status does not follow the file's order")
		}
	})
}

func TestReload_RolloutRemoved_GoesToZeroFirstAndComesBackAsANewAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g), policy("search", g)))
		ticks(15)
		w.took()
		if err := p.Reload(t.Context(), planOf(policy("search", g))); err != nil {
			t.Fatal(err)
		}
		ticks(1)
		if at := order(w.took(), "set checkout 0 %", "install 1", "write decisions.jsonl"); at[len(at)-1] < 0 {
			t.Errorf("order %v", at)
		}
		got, err := p.Decisions("checkout", time.Time{}, 1)
		if err != nil || len(got) != 1 || got[0].Decision.Action != gate.ActWithdrawn || got[0].Decision.To != 0 || got[0].Decision.From != 500 {
			t.Errorf("newest decision %+v, %v", got, err)
		}
		p.end()
		w = w.reborn()
		p = w.start(t, planOf(policy("search", g)))
		defer p.end()
		ticks(1)
		if err := p.Reload(t.Context(), planOf(policy("search", g), policy("checkout", g))); err != nil {
			t.Fatal(err)
		}
		if w.weight("checkout") != 0 {
			t.Errorf("came back at %s", w.weight("checkout"))
		}
		ticks(2)
		if r := p.rollout(t, "checkout"); r.Attempt != 2 || r.Weight != .01 {
			t.Errorf("attempt %d at %v, want 2 at 1 %%", r.Attempt, r.Weight)
		}
		if w.weight("search") < 500 {
			t.Errorf("the other rollout is at %s", w.weight("search"))
		}
	})
}

func TestReload_PlanCannotBeInstalled_TheRunningOneStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		p := w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		ticks(2)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote})
		boom := errors.New("no such certificate")
		w.mu.Lock()
		w.fail["install"] = boom
		w.mu.Unlock()
		if err := p.Reload(t.Context(), planOf(policy("other", g))); !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		ticks(2)
		if r := p.rollout(t, "checkout"); w.weight("checkout") != 500 || r.Phase != gate.Progressing {
			t.Errorf("weight %s, phase %s", w.weight("checkout"), r.Phase)
		}
	})
}

func TestReload_NewRevision_LeavesTheCanaryAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		p := w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		ticks(2)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote})
		next := policy("checkout", g)
		next.Revision = "v3"
		if err := p.Reload(t.Context(), planOf(next)); err != nil {
			t.Fatal(err)
		}
		if w.weight("checkout") != 0 {
			t.Errorf("the new revision has %s", w.weight("checkout"))
		}
		ticks(2)
		if r := p.rollout(t, "checkout"); r.Attempt != 2 || r.Stage.Index != 1 || r.LastDecision.ID != "checkout-2-2" {
			t.Errorf("attempt %d stage %d last %s", r.Attempt, r.Stage.Index, r.LastDecision.ID)
		}
	})
}

func TestReload_ChangedGates_CollectAnewAtTheSameWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{text: "+0.5pt"})))
		defer p.end()
		ticks(2)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote})
		w.plane("checkout").record(router.Canary, window.Success, 50)
		ticks(1)
		if err := p.Reload(t.Context(), planOf(policy("checkout", &scripted{text: "+5pt"}))); err != nil {
			t.Fatal(err)
		}
		ticks(1)
		r := p.rollout(t, "checkout")
		if r.Weight != .05 || r.Canary.Requests != 0 || r.Exposure.Requests != 50 {
			t.Errorf("weight %v, evidence %d, exposure %d", r.Weight, r.Canary.Requests, r.Exposure.Requests)
		}
	})
}

func TestReload_WhileARaiseWaitsForTheDisk_RemovedRolloutStaysAtZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g), policy("search", g)))
		defer p.end()
		ticks(5)
		w.setSlow("sync", 5*time.Second)
		w.took()
		for !slices.Contains(w.effectsNow(), "write decisions.jsonl") {
			ticks(1)
		}
		if err := p.Reload(t.Context(), planOf(policy("search", g))); err != nil {
			t.Fatal(err)
		}
		ticks(20)
		if slices.Contains(w.took(), "set checkout 5 %") {
			t.Error("a raise was done for a rollout that is gone")
		}
		got, _ := p.Decisions("checkout", time.Time{}, 1)
		if len(got) != 1 || got[0].Decision.Action != gate.ActWithdrawn {
			t.Errorf("newest decision %+v", got)
		}
	})
}

func TestRestart_EvidenceLost_RestartsTheStageAndSkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		plan := planOf(policy("checkout", g))
		p := w.start(t, plan)
		ticks(18) // 5 %, seven of its ten seconds
		p.end()
		saved, err := w.disk.ReadFile("s/state.json")
		if err != nil {
			t.Fatal(err)
		}
		s, err := journal.DecodeState(saved)
		if err != nil {
			t.Fatal(err)
		}
		record := s.Rollouts["checkout"]
		if record.State.Clock < 5*time.Second || record.Evidence == nil {
			t.Fatalf("saved %+v", record)
		}
		record.Evidence = nil
		s.Rollouts["checkout"] = record
		if saved, err = journal.EncodeState(s); err != nil {
			t.Fatal(err)
		}
		w = w.reborn()
		w.disk.WriteFile("s/state.json", saved)
		p = w.start(t, plan)
		defer p.end()
		ticks(9)
		if w.weight("checkout") != 500 {
			t.Errorf("weight %s: the stage went on without its evidence", w.weight("checkout"))
		}
		ticks(4)
		if w.weight("checkout") != 2500 {
			t.Errorf("weight %s, want 25 %% after the whole least time", w.weight("checkout"))
		}
	})
}
