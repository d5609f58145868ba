package control

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/calendar"
	"serin/gate/window"
	"serin/router"
)

func TestLoop_FirstStatus_HasTheVersionThatActsAreHeldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{})))
		defer p.end()
		version := p.rollout(t, "checkout").Version
		if version == 0 {
			t.Fatal("the first status says version 0, which is before the rollout was known")
		}
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause, IfVersion: &version}); d.Action != gate.ActPause {
			t.Errorf("got %s %s", d.Action, d.Refusal)
		}
	})
}

func TestRollback_Gradual_StepsDownWithOneDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		pol := policy("checkout", g)
		pol.RevertOver = 10 * time.Second
		p := w.start(t, planOf(pol))
		defer p.end()
		ticks(26)
		if w.weight("checkout") != 2500 {
			t.Fatalf("weight %s, want 25 %%", w.weight("checkout"))
		}
		g.answer(gate.Fail)
		var seen []router.Weight
		for range 14 {
			ticks(1)
			seen = append(seen, w.weight("checkout"))
		}
		if seen[0] != 2500 || seen[5] < 1000 || seen[5] > 1500 || seen[12] != 0 {
			t.Errorf("weights %v", seen)
		}
		for i := 1; i < len(seen); i++ {
			if seen[i] > seen[i-1] {
				t.Errorf("it went up: %v", seen)
			}
		}
		got, err := p.Decisions("checkout", time.Time{}, 1)
		if err != nil || len(got) != 1 || got[0].Decision.Action != gate.ActRollback || got[0].State.Weight != 0 {
			t.Errorf("last decision %+v, %v", got, err)
		}
	})
}

func TestRollback_Gradual_KilledInTheMiddle_ComesBackAtZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		pol.RevertOver = time.Minute
		p := w.start(t, planOf(pol))
		ticks(26)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "alice"})
		ticks(10)
		if got := w.weight("checkout"); got == 0 || got >= 2500 {
			t.Fatalf("weight %s in the middle", got)
		}
		if r := p.rollout(t, "checkout"); r.Phase != gate.RolledBack || r.Weight == 0 || !strings.Contains(r.Sentence, "Rolling back") {
			t.Errorf("got %s at %v: %s", r.Phase, r.Weight, r.Sentence)
		}
		next := w.reborn()
		p.end()
		again := next.start(t, planOf(pol))
		defer again.end()
		if got := next.weight("checkout"); got != 0 {
			t.Errorf("after the restart %s are on the canary", got)
		}
		ticks(5)
		if r := again.rollout(t, "checkout"); r.Phase != gate.RolledBack || r.Weight != 0 {
			t.Errorf("got %s at %v", r.Phase, r.Weight)
		}
	})
}

func TestRollback_SecondOne_IsInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		pol.RevertOver = time.Minute
		p := w.start(t, planOf(pol))
		defer p.end()
		ticks(50)
		if p.rollout(t, "checkout").Phase != gate.Completed {
			t.Fatal("not completed")
		}
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "alice"})
		ticks(6)
		if got := w.weight("checkout"); got < 8000 || got >= 10000 {
			t.Errorf("after a tenth of the minute %s", got)
		}
		d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "bob"})
		if w.weight("checkout") != 0 || d.From == 0 || d.To != 0 || !d.News {
			t.Errorf("weight %s, decision %+v", w.weight("checkout"), d)
		}
	})
}

func TestFreeze_PausesEverythingAndWhatComesLater_AcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		one, two := policy("one", &scripted{verdict: gate.Pass}), policy("two", &scripted{verdict: gate.Pass})
		p := w.start(t, planOf(one, two))
		ticks(3)
		p.do(t, "two", gate.Operator{Verb: gate.VerbPause, Actor: "alice"})
		entries, err := p.Freeze(t.Context(), "ops", "the big sale")
		if err != nil || len(entries) != 1 || entries[0].Rollout != "one" || entries[0].Decision.Actor != "ops" || entries[0].Decision.Note != "the big sale" {
			t.Fatalf("got %+v, %v", entries, err)
		}
		next := w.reborn() // the kill comes right after the answer
		p.end()
		three := policy("three", &scripted{verdict: gate.Pass})
		again := next.start(t, planOf(one, two, three))
		defer again.end()
		ticks(30)
		for _, name := range []string{"one", "two", "three"} {
			if r := again.rollout(t, name); r.Phase != gate.Paused || r.WaitingFor != "resume" {
				t.Errorf("%s is %s at %v: %s", name, r.Phase, r.Weight, r.Sentence)
			}
		}
		if f := again.Status().Freeze; f == nil || f.Actor != "ops" || f.Reason != "the big sale" || f.Since.IsZero() {
			t.Errorf("freeze %+v", f)
		}
		if d := again.do(t, "two", gate.Operator{Verb: gate.VerbResume, Actor: "alice"}); d.Refusal != gate.RefusedFreeze {
			t.Errorf("resume of one: %+v", d)
		}
		entries, err = again.Thaw(t.Context(), "ops", "over")
		if err != nil || len(entries) != 2 {
			t.Errorf("thaw: %+v, %v", entries, err)
		}
		ticks(3)
		for name, want := range map[string]gate.Phase{"one": gate.Progressing, "two": gate.Paused, "three": gate.Progressing} {
			if r := again.rollout(t, name); r.Phase != want {
				t.Errorf("%s is %s, want %s", name, r.Phase, want)
			}
		}
		if _, err := again.Thaw(t.Context(), "ops", ""); !errors.Is(err, ErrNotFrozen) || again.Status().Freeze != nil {
			t.Errorf("second thaw: %v, %+v", err, again.Status().Freeze)
		}
	})
}

func TestFreeze_DiskGone_PausesAtOnceAndAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(3)
		w.breakDisk(errors.New("full"))
		if _, err := p.Freeze(t.Context(), "ops", ""); err != nil {
			t.Fatal(err)
		}
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Phase != gate.Paused || w.weight("checkout") != 100 {
			t.Errorf("%s at %s", r.Phase, w.weight("checkout"))
		}
		w.breakDisk(nil)
		ticks(3)
	})
}

func TestWindow_OfThePolicy_OpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble begins on Saturday, 1 January 2000, 00:00 UTC
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		sat, err := calendar.Parse("Sat 00:00-00:01 UTC")
		if err != nil {
			t.Fatal(err)
		}
		later, err := calendar.Parse("Sat 01:00-02:00 UTC")
		if err != nil {
			t.Fatal(err)
		}
		pol.Window = calendar.Windows{sat, later}
		pol.Stages = pol.Stages[:2]
		pol.Stages[1].Weight = router.Full
		pol.Stages[0].Least = 2 * time.Minute
		p := w.start(t, planOf(pol))
		defer p.end()
		ticks(10)
		if r := p.rollout(t, "checkout"); !r.Window.Open || r.Window.Until.UTC().Format("15:04") != "00:01" || r.Stage.Index != 1 {
			t.Errorf("inside: %+v at stage %d", r.Window, r.Stage.Index)
		}
		ticks(170)
		r := p.rollout(t, "checkout")
		if r.Window.Open || r.Window.Until.UTC().Format("15:04") != "01:00" || r.Reason != gate.WindowClosed || w.weight("checkout") != 100 {
			t.Errorf("outside: %+v, %s at %s", r.Window, r.Reason, w.weight("checkout"))
		}
		if !strings.Contains(r.Next, "when the window opens, at about 01:00") {
			t.Errorf("next: %s", r.Next)
		}
		time.Sleep(time.Hour)
		ticks(1)
		if w.weight("checkout") <= 100 {
			t.Errorf("open again, and still at %s", w.weight("checkout"))
		}
	})
}

func TestCapacity_LoadIsMeasured_HoldsAndNeverLowers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		pol := policy("checkout", &scripted{verdict: gate.Pass})
		pol.Capacity = 10 // of 100 a second: 10 %
		p := w.start(t, planOf(pol))
		defer p.end()
		drive := func(seconds, perSecond int) {
			for range seconds {
				plane := w.plane("checkout")
				plane.record(router.Stable, window.Success, perSecond)
				ticks(1)
			}
		}
		drive(60, 100)
		r := p.rollout(t, "checkout")
		if w.weight("checkout") != 500 || r.Reason != gate.CapacityReached || r.Capacity == nil || r.Capacity.Load < 95 || r.Capacity.Load > 105 {
			t.Errorf("at %s for %s, %+v", w.weight("checkout"), r.Reason, r.Capacity)
		}
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote, Actor: "alice", Reason: "now"}); d.Refusal != gate.RefusedLoad {
			t.Errorf("promote: %+v", d)
		}
		drive(70, 400) // 5 % of it is 20
		if r := p.rollout(t, "checkout"); w.weight("checkout") != 500 || r.Reason != gate.CapacityReached || !strings.Contains(r.Sentence, "has grown") {
			t.Errorf("at %s for %s: %s", w.weight("checkout"), r.Reason, r.Sentence)
		}
		drive(150, 20)
		if w.weight("checkout") < 2500 {
			t.Errorf("a fifth of the traffic, and still at %s", w.weight("checkout"))
		}
	})
}

func TestAttempt_End_IsJournalledWithWhatItCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.users = true
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g)))
		ticks(2)
		w.plane("checkout").record(router.Canary, window.Success, 30)
		w.plane("checkout").record(router.Stable, window.Success, 970)
		ticks(10)
		if w.weight("checkout") != 500 {
			t.Fatalf("weight %s", w.weight("checkout"))
		}
		w.plane("checkout").record(router.Canary, window.Success, 40)
		w.plane("checkout").record(router.Canary, window.ServerError, 10)
		w.plane("checkout").record(router.Stable, window.Success, 950)
		ticks(3)
		next := w.reborn() // the account outlives the process
		p.end()
		again := next.start(t, planOf(policy("checkout", g)))
		defer again.end()
		ticks(2)
		g.answer(gate.Fail)
		ticks(3)
		got, err := again.Decisions("checkout", time.Time{}, 10)
		if err != nil || got[0].Decision.Action != gate.ActRollback {
			t.Fatalf("got %+v, %v", got, err)
		}
		a := got[0].Attempt
		if a == nil || a.Number != 1 || a.Revision != "v2" || a.Requests != 80 || a.Failed != 10 || a.Users == 0 || a.UsersFailed == 0 {
			t.Fatalf("attempt %+v", a)
		}
		if len(a.Shares) != 2 || a.Shares[0].Weight != 100 || a.Shares[0].Requests != 30 || a.Shares[1].Weight != 500 ||
			a.Shares[1].Requests != 50 || a.Shares[1].Failed != 10 || a.Shares[0].Seconds < 9 || a.Shares[0].Seconds > 12 ||
			a.Shares[1].Seconds < 4 || a.Shares[1].Seconds > 9 {
			t.Errorf("shares %+v", a.Shares)
		}
		for _, e := range got[1:] {
			if e.Attempt != nil {
				t.Errorf("%s ended no attempt: %+v", e.ID, e.Attempt)
			}
		}
		again.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry, Actor: "alice", Reason: "fixed", FromStage: 2})
		g.answer(gate.Hold)
		ticks(3)
		if r := again.rollout(t, "checkout"); r.Attempt != 2 || r.Stage.Index != 2 || len(r.Exposure.Shares) == 0 || r.Exposure.Shares[0].Weight != 500 {
			t.Errorf("attempt %d at stage %d, %+v", r.Attempt, r.Stage.Index, r.Exposure)
		}
	})
}
