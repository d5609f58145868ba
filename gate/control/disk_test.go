package control

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
)

func TestLoop_DiskFull_BlocksRaisesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g)))
		ticks(15)
		w.breakDisk(syscall.ENOSPC)
		ticks(60)
		if w.weight("checkout") != 500 {
			t.Fatalf("weight %s on a full disk, want 5 %%", w.weight("checkout"))
		}
		r := p.rollout(t, "checkout")
		if r.Reason != gate.JournalUnavailable || p.Status().Journal.Available || p.Status().Journal.Err == "" {
			t.Errorf("reason %q, journal %+v", r.Reason, p.Status().Journal)
		}
		if _, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPromote}); !errors.Is(err, ErrJournalUnavailable) {
			t.Errorf("promote: %v, want ErrJournalUnavailable", err)
		}
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause, Actor: "ann"}); d.Action != gate.ActPause {
			t.Errorf("pause: %+v", d)
		}
		g.answer(gate.Fail)
		ticks(1)
		if w.weight("checkout") != 0 {
			t.Fatalf("weight %s, want 0: a full disk stopped a rollback", w.weight("checkout"))
		}
		if got, err := p.Decisions("checkout", time.Time{}, 1); err != nil || len(got) != 1 || got[0].Decision.Action != gate.ActRollback {
			t.Errorf("newest decision %+v, %v, want the rollback", got, err)
		}
		w.breakDisk(nil)
		ticks(3)
		if s := p.Status(); !s.Journal.Available || len(s.Unwritten) != 0 {
			t.Errorf("journal %+v, unwritten %d", s.Journal, len(s.Unwritten))
		}
		got, err := p.Decisions("checkout", time.Time{}, 2)
		if err != nil || len(got) != 2 || got[0].Decision.Action != gate.ActRollback || got[1].Decision.Action != gate.ActPause {
			t.Errorf("newest decisions %+v, %v, want rollback and pause", got, err)
		}
		p.end()
		w = w.reborn()
		p = w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		if r := p.rollout(t, "checkout"); r.Phase != gate.RolledBack {
			t.Errorf("after a restart: %s", r.Phase)
		}
	})
}

func TestLoop_RaiseFailsToSync_IsDroppedAndDoneLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(5)
		w.mu.Lock()
		w.fail["sync"] = syscall.EIO
		w.mu.Unlock()
		ticks(10)
		if w.weight("checkout") != 100 {
			t.Fatalf("weight %s, want 1 %%", w.weight("checkout"))
		}
		w.breakDisk(nil)
		ticks(3)
		if w.weight("checkout") != 500 {
			t.Errorf("weight %s, want 5 %% once the disk works", w.weight("checkout"))
		}
		got, _ := p.Decisions("checkout", time.Time{}, 100)
		for i, e := range got {
			if e.Number != len(got)-i {
				t.Errorf("decision %d has number %d: %s", i, e.Number, e.ID)
			}
		}
	})
}

func TestLoop_SlowDisk_RaiseWaitsRollbackDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", g)))
		defer p.end()
		ticks(5)
		w.setSlow("sync", 10*time.Second)
		w.took()
		for !slices.Contains(w.effectsNow(), "write decisions.jsonl") {
			ticks(1)
		}
		ticks(3) // the raise to 5 % is in the middle of its fsync
		if w.weight("checkout") != 100 {
			t.Fatalf("weight %s, want 1 %% while the disk is asked", w.weight("checkout"))
		}
		if r := p.rollout(t, "checkout"); r.Reason != gate.JournalUnavailable {
			t.Errorf("reason %q, want journal_unavailable", r.Reason)
		}
		g.answer(gate.Fail)
		ticks(1)
		if w.weight("checkout") != 0 {
			t.Fatalf("weight %s, want 0: a slow disk stopped a rollback", w.weight("checkout"))
		}
		ticks(40)
		got, err := p.Decisions("checkout", time.Time{}, 2)
		if err != nil || len(got) != 2 || got[0].Decision.Action != gate.ActRollback || got[1].Decision.Action != gate.ActAdvance {
			t.Fatalf("newest decisions %+v, %v, want the rollback after the overtaken raise", got, err)
		}
		if got[0].State.Version <= got[1].State.Version {
			t.Errorf("versions %d then %d", got[1].State.Version, got[0].State.Version)
		}
		if w.weight("checkout") != 0 || p.rollout(t, "checkout").Phase != gate.RolledBack {
			t.Error("the overtaken raise was done after all")
		}
	})
}

func (w *world) effectsNow() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.effects)
}

func TestLoop_SlowDisk_RaiseIsDoneWhenItIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(5)
		w.setSlow("sync", 10*time.Second)
		ticks(40)
		if got := w.weight("checkout"); got != 500 && got != 2500 {
			t.Errorf("weight %s, want it to have risen", got)
		}
	})
}

func TestLoop_PauseOvertakesAPendingRaise_ResumeWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(5)
		w.setSlow("sync", 4*time.Second)
		w.took()
		for !slices.Contains(w.effectsNow(), "write decisions.jsonl") {
			ticks(1)
		}
		promoted := make(chan error, 1)
		go func() {
			_, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPromote})
			promoted <- err
		}()
		synctest.Wait()
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause}); d.Action != gate.ActPause {
			t.Errorf("got %+v", d)
		}
		ticks(30)
		if w.weight("checkout") != 100 || p.rollout(t, "checkout").Phase != gate.Paused {
			t.Errorf("weight %s, phase %s", w.weight("checkout"), p.rollout(t, "checkout").Phase)
		}
		if err := <-promoted; err != nil {
			t.Errorf("the promote that waited: %v, want a refusal by phase", err)
		}
	})
}

func TestLoop_OnlyALineFailed_RaisesGoOnAfterTheNextSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Hold})))
		defer p.end()
		ticks(7)
		w.breakDisk(syscall.EIO)
		if _, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPromote}); !errors.Is(err, ErrJournalUnavailable) {
			t.Errorf("promote: %v", err)
		}
		w.breakDisk(nil)
		ticks(7)
		if d := p.do(t, "checkout", gate.Operator{Verb: gate.VerbPromote}); d.Action != gate.ActPromote || w.weight("checkout") != 500 {
			t.Errorf("got %+v at %s", d, w.weight("checkout"))
		}
	})
}

func TestLoop_RingFailsWhileTheNextStageIsBeingWritten_IsSentBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		g := &scripted{}
		ring := policy("checkout", g)
		ring.Stages = append([]gate.Stage{{Label: "staff", Audience: "staff", Least: 2 * time.Second}}, ring.Stages...)
		p := w.start(t, planOf(ring))
		defer p.end()
		ticks(3)
		if got := w.settingOf("checkout").Audiences; !slices.Equal(got, []string{"staff"}) {
			t.Fatalf("audiences %q", got)
		}
		w.setSlow("sync", 10*time.Second)
		w.took()
		g.answer(gate.Pass)
		for !slices.Contains(w.effectsNow(), "write decisions.jsonl") {
			ticks(1)
		}
		g.answer(gate.Fail)
		ticks(1)
		w.mu.Lock()
		left := w.planes["checkout"].setting.Audiences
		w.mu.Unlock()
		if len(left) != 0 {
			t.Errorf("%q are still on the canary", left)
		}
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Phase != gate.RolledBack || w.weight("checkout") != 0 {
			t.Errorf("%s at %s", r.Phase, w.weight("checkout"))
		}
	})
}

func TestStatus_WhatWasJustDone_IsShownWhenItIsOnDiskOrATickLater(t *testing.T) {
	f := func(disk, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			g := &scripted{verdict: gate.Pass}
			p := w.start(t, planOf(policy("checkout", g)))
			defer p.end()
			ticks(15)
			w.setSlow("sync", disk)
			g.answer(gate.Fail)
			for w.weight("checkout") != 0 {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			done := time.Now()
			for p.rollout(t, "checkout").Phase != gate.RolledBack {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			if took := time.Since(done); took < want-2*time.Millisecond || took > want+2*time.Millisecond {
				t.Errorf("a disk of %s: shown after %s, want %s", disk, took, want)
			}
		})
	}
	f(0, 0)
	f(300*time.Millisecond, 300*time.Millisecond)
	f(10*time.Second, time.Second)
}
