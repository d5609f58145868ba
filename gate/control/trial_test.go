package control

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/gate/window"
)

// arms is the data plane of one experiment.
type arms struct {
	mu       sync.Mutex
	setting  Setting
	meters   []*window.Meter
	settings []Setting // all that were set or installed
	ill      bool
}

func (a *arms) put(s Setting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.meters == nil || a.setting.Step != s.Step || a.setting.Revision != s.Revision {
		a.meters = nil
		for range 3 {
			a.meters = append(a.meters, window.NewMeter(window.Options{Users: true}))
		}
	}
	a.setting = s
	a.settings = append(a.settings, s)
}

func (a *arms) Install(plan *config.Plan, settings map[string]Setting) error {
	if s, ok := settings["button"]; ok {
		a.put(s)
	}
	return nil
}

func (a *arms) Set(name string, s Setting) { a.put(s) }

func (a *arms) Read(name string, r *Reading) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Arms = make([]window.Snapshot, len(a.meters))
	for i, m := range a.meters {
		m.Read(&r.Arms[i], true)
	}
	r.Quiet, r.StableHealthy, r.CanaryHealthy = false, true, !a.ill
}

// record counts n requests of an arm, spread over users.
func (a *arms) record(arm, n int, o window.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range n {
		a.meters[arm].Record(0, uint16((arm*3000+i)%window.Buckets), o, 20*time.Millisecond)
	}
}

func (a *arms) now() Setting {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.setting
}

// badArm fails the arms that have an error.
type badArm struct{ scripted }

func (*badArm) Judge(q gate.Question) gate.Finding {
	f := gate.Finding{Metric: "error_rate", Scale: "points"}
	if bad := q.View.Full.Canary.Bad(); bad > 0 {
		f.Verdict, f.Samples.CanaryBad, f.Samples.Canary = gate.Fail, bad, q.View.Full.Canary.Judged()
	}
	return f
}

func trialPlan(revision string) *config.Plan {
	return &config.Plan{File: "serin.toml", Experiments: []config.Experiment{{Name: "button", Policy: &experiment.Policy{
		Name: "button", Revision: revision, For: time.Minute, Criteria: []gate.Criterion{&badArm{}}, AlphaFail: .01, AlphaPass: .05,
		Arms: []experiment.Arm{{Name: "plain", Share: 4000}, {Name: "green", Share: 3000}, {Name: "big", Share: 3000}},
	}}}}
}

// live starts a loop over the disk.
func live(t *testing.T, w *world, a *arms, plan *config.Plan) *process {
	t.Helper()
	j, restored, err := journal.Open("s", journal.Options{FS: w})
	if err != nil {
		t.Fatal(err)
	}
	l := New(Options{Plan: plan, Dataplane: a, Journal: j, Restored: restored, Announce: w.announce})
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return &process{Loop: l, journal: j, end: func() { cancel(); <-ended; j.Close() }}
}

func (p *process) trial(t *testing.T) ExperimentStatus {
	t.Helper()
	if list := p.Status().Experiments; len(list) == 1 {
		return list[0]
	}
	t.Fatalf("got %d experiments", len(p.Status().Experiments))
	return ExperimentStatus{}
}

func TestTrial_StartIsOnDiskBeforeAnybodyLeavesTheControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{}
		w.breakDisk(errors.New("full"))
		p := live(t, w, a, trialPlan("r1"))
		defer p.end()
		ticks(5)
		if a.now().Running {
			t.Fatal("runs although its start could not be written")
		}
		w.breakDisk(nil)
		ticks(10)
		if !a.now().Running || p.trial(t).Phase != gate.Progressing {
			t.Fatalf("got %v, want it to run once the disk writes", p.trial(t).Phase)
		}
	})
}

func TestTrial_ArmWithoutAServer_IsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{ill: true}
		p := live(t, w, a, trialPlan("r1"))
		defer p.end()
		ticks(5)
		if a.now().Running {
			t.Fatal("runs although an arm has no server")
		}
		a.mu.Lock()
		a.ill = false
		a.mu.Unlock()
		ticks(3)
		if !a.now().Running {
			t.Fatal("does not run although every arm has a server")
		}
	})
}

func TestTrial_KilledAndStartedAgain_KeepsStopsEvidenceAndClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{}
		p := live(t, w, a, trialPlan("r1"))
		ticks(3)
		a.record(0, 400, window.Success)
		a.record(1, 300, window.Success)
		a.record(2, 290, window.Success)
		a.record(2, 10, window.ServerError)
		ticks(8)
		if s := a.now(); !s.Running || strings.Join(s.Stopped, " ") != "big" {
			t.Fatalf("got %+v, want big stopped", s)
		}
		before := p.trial(t)
		w.kill()
		p.end()

		time.Sleep(time.Hour)
		w, a = w.reborn(), &arms{}
		p = live(t, w, a, trialPlan("r1"))
		defer p.end()
		if first := a.settings[0]; !first.Running || strings.Join(first.Stopped, " ") != "big" {
			t.Fatalf("installed %+v, want it to run without big", first)
		}
		ticks(2)
		after := p.trial(t)
		if got := after.Arms[1].Result.Requests; got != 300 || after.Arms[2].Result.Errors != 10 || after.Attempt != 1 || !after.Arms[2].Stopped {
			t.Errorf("got %+v", after.Arms)
		}
		if after.Elapsed < before.Elapsed-6*time.Second || after.Elapsed > before.Elapsed+5*time.Second {
			t.Errorf("got %s on the clock, had %s", after.Elapsed, before.Elapsed)
		}
		a.record(1, 50, window.Success)
		ticks(4)
		if got := p.trial(t).Arms[1].Result.Requests; got != 350 {
			t.Errorf("got %d requests of green, want the old and the new", got)
		}
		ticks(70)
		if s := p.trial(t); s.Phase != gate.Completed || a.now().Running {
			t.Errorf("got %v after its time, running %v", s.Phase, a.now().Running)
		}
	})
}

func TestTrial_Reload_KeepsItUnlessItsArmsAreOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{}
		p := live(t, w, a, trialPlan("r1"))
		defer p.end()
		ticks(3)
		a.record(1, 300, window.Success)
		ticks(3)
		if err := p.Reload(t.Context(), trialPlan("r1")); err != nil {
			t.Fatal(err)
		}
		ticks(3)
		if s := p.trial(t); !a.now().Running || s.Attempt != 1 || s.Arms[1].Result.Requests != 300 {
			t.Errorf("the same arms: got attempt %d with %d requests", s.Attempt, s.Arms[1].Result.Requests)
		}
		if err := p.Reload(t.Context(), trialPlan("r2")); err != nil {
			t.Fatal(err)
		}
		ticks(5)
		if s := p.trial(t); !a.now().Running || s.Attempt != 2 || s.Arms[1].Result.Requests != 0 {
			t.Errorf("other arms: got attempt %d with %d requests", s.Attempt, s.Arms[1].Result.Requests)
		}
		if err := p.Reload(t.Context(), &config.Plan{}); err != nil {
			t.Fatal(err)
		}
		ticks(2)
		list, err := p.Decisions("button", time.Time{}, 1)
		if err != nil || len(list) != 1 || list[0].Decision.Action != gate.ActWithdrawn || len(p.Status().Experiments) != 0 {
			t.Errorf("removed: got %+v, %v", list, err)
		}
	})
}

func TestTrial_WhatIsDecided_IsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, told := newWorld(), &arms{}, &collected{}
		w.announce = told.add
		p := live(t, w, a, trialPlan("r1"))
		ticks(3)
		a.record(0, 400, window.Success)
		a.record(1, 300, window.Success)
		a.record(2, 290, window.Success)
		a.record(2, 10, window.ServerError)
		ticks(70)
		p.end()
		if got := strings.Join(told.actions(), " "); got != "start stop_arm end" {
			t.Fatalf("announced %s", got)
		}
		stop := told.list[1]
		if stop.Experiment == nil || stop.Policy != nil || stop.Entry.Decision.Arm != "big" || len(stop.Findings) != 1 {
			t.Errorf("got %+v", stop)
		}
		if stop.Stable.Requests != 400 || stop.Canary.Requests != 300 || stop.Canary.Errors != 10 {
			t.Errorf("control %+v, arm %+v: those of the arm that was stopped are meant", stop.Stable, stop.Canary)
		}
	})
}

func TestTrial_APersonStopsIt_ByTheVerbOrByArm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{}
		p := live(t, w, a, trialPlan("r1"))
		defer p.end()
		ticks(3)
		d, e, err := p.StopArm(t.Context(), "button", experiment.Stop{Arm: "green", Actor: "ana", Reason: "ugly"})
		if err != nil || d.Action != gate.ActStopArm || !strings.Contains(e.Sentence, "ana (ugly)") || strings.Join(a.now().Stopped, " ") != "green" {
			t.Errorf("got %v, %q, %v", d.Action, e.Sentence, err)
		}
		if _, _, err := p.Operate(t.Context(), "button", gate.Operator{Verb: gate.VerbPromote}); !errors.Is(err, ErrNoLadder) {
			t.Errorf("promote: got %v", err)
		}
		if d := p.do(t, "button", gate.Operator{Verb: gate.VerbRollback, Actor: "ana"}); d.Action != gate.ActRollback || a.now().Running {
			t.Errorf("rollback: got %v, running %v", d.Action, a.now().Running)
		}
		if _, _, err := p.StopArm(t.Context(), "none", experiment.Stop{}); !errors.Is(err, ErrUnknownRollout) {
			t.Errorf("unknown: got %v", err)
		}
	})
}

func TestTrial_StateUnreadable_EverybodyIsOnTheControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(), &arms{}
		p := live(t, w, a, trialPlan("r1"))
		ticks(10)
		p.end()
		w.disk.WriteFile("s/state.json", []byte("{"))
		w.disk.WriteFile("s/state.prev.json", []byte("{"))
		w, a = w.reborn(), &arms{}
		p = live(t, w, a, trialPlan("r1"))
		defer p.end()
		ticks(10)
		if s := p.trial(t); a.now().Running || s.Phase != gate.RolledBack || s.LastDecision.Decision.Reason != gate.RestartReplayed {
			t.Errorf("got %v: %s", s.Phase, s.Sentence)
		}
	})
}
