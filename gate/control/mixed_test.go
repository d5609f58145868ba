package control

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
)

// What holds where two of a rollout's features meet.

func TestDryRun_Mirror_IsShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		pol.Stages = append([]gate.Stage{{Label: "mirror 10 %", Mirror: 1000, Least: 10 * time.Second}}, pol.Stages...)
		pol.DryRun = true
		p := w.start(t, planOf(pol))
		defer p.end()
		ticks(30)
		if r := p.rollout(t, "checkout"); r.Stage.Index != 1 || w.settingOf("checkout").sends() {
			t.Errorf("stage %d with %+v, want nothing sent to the canary", r.Stage.Index, w.settingOf("checkout"))
		}
	})
}

func TestRetry_OnASlowDisk_LeavesAGradualReturnGoingOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		pol.RevertOver = 10 * time.Second
		p := w.start(t, planOf(pol))
		defer p.end()
		ticks(15)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "ann"})
		ticks(2)
		from := w.weight("checkout")
		w.setSlow("sync", 40*time.Second)
		retried := make(chan error, 1)
		go func() {
			_, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbRetry, Actor: "ann"})
			retried <- err
		}()
		ticks(12)
		if from == 0 || w.weight("checkout") != 0 {
			t.Errorf("the return stands at %s of %s while the disk is waited for", w.weight("checkout"), from)
		}
		w.setSlow("sync", 0)
		ticks(60)
		if err := <-retried; err != nil || p.rollout(t, "checkout").State.Attempt != 2 {
			t.Errorf("retry: %v, attempt %d", err, p.rollout(t, "checkout").State.Attempt)
		}
	})
}

func TestDrill_RolloutRemovedAndBack_DoesNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&drilled{perTick: 1, left: 1}).read
		p := w.start(t, planOf(policy("checkout", errorRate(t)), policy("search", errorRate(t))))
		defer p.end()
		ticks(2)
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		ticks(2)
		if err := p.Reload(t.Context(), planOf(policy("search", errorRate(t)))); err != nil {
			t.Fatal(err)
		}
		ticks(2)
		if err := p.Reload(t.Context(), planOf(policy("checkout", errorRate(t)), policy("search", errorRate(t)))); err != nil {
			t.Fatal(err)
		}
		ticks(5)
		if s := w.settingOf("checkout"); s.Drill != nil || s.Weight != 100 {
			t.Errorf("a new attempt at %s goes on with drill %+v", s.Weight, s.Drill)
		}
	})
}

func TestDrill_RolledBackAndRetriedAtOnce_DoesNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&drilled{perTick: 1, left: 1}).read
		p := w.start(t, planOf(policy("checkout", errorRate(t))))
		defer p.end()
		ticks(2)
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		ticks(2)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "alice", Reason: "enough"})
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry, Actor: "alice", Reason: "again"})
		ticks(3)
		r := p.rollout(t, "checkout")
		if s := w.settingOf("checkout"); s.Drill != nil || s.Weight != 100 || r.State.Drilled == nil || r.State.Drilled.End != gate.DrillOver {
			t.Errorf("attempt %d at %s with drill %+v, result %+v", r.Attempt, s.Weight, s.Drill, r.State.Drilled)
		}
	})
}

func TestFreeze_DiskHangsInTheSave_Answers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(3)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause, Actor: "ann"}) // so that the freeze has no decision to write
		ticks(10)
		w.setSlow("sync", 20*time.Minute)
		asked := time.Now()
		if _, err := p.Freeze(t.Context(), "ops", ""); err != nil || time.Since(asked) > 3*time.Second {
			t.Errorf("answered after %s: %v", time.Since(asked), err)
		}
		w.setSlow("sync", 0)
	})
}

func TestFreeze_EndsTheDrillThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&drilled{perTick: 1, left: 1}).read
		p := w.start(t, planOf(policy("checkout", errorRate(t))))
		defer p.end()
		ticks(2)
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		ticks(2)
		if _, err := p.Freeze(t.Context(), "ops", "an outage"); err != nil {
			t.Fatal(err)
		}
		r := p.rollout(t, "checkout")
		if w.settingOf("checkout").Drill != nil || r.Phase != gate.Paused || r.State.Drilled == nil || r.State.Drilled.End != gate.DrillStopped {
			t.Errorf("%s, and users get faults: %+v", r.Phase, r.State.Drilled)
		}
	})
}

func TestThaw_DiskGone_CanBeAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(3)
		if _, err := p.Freeze(t.Context(), "ops", ""); err != nil {
			t.Fatal(err)
		}
		ticks(3)
		w.breakDisk(syscall.ENOSPC)
		ticks(8)
		if _, err := p.Thaw(t.Context(), "ops", ""); err == nil {
			t.Error("resumed without a journal")
		}
		w.breakDisk(nil)
		ticks(8)
		if _, err := p.Thaw(t.Context(), "ops", ""); err != nil {
			t.Errorf("once the disk is back: %v", err)
		}
		ticks(2)
		if r := p.rollout(t, "checkout"); r.Phase != gate.Progressing || p.Status().Freeze != nil {
			t.Errorf("%s, freeze %+v", r.Phase, p.Status().Freeze)
		}
	})
}
