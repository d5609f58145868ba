package gate_test

import (
	"slices"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/window"
	"serin/router"
)

// What holds where two of a rollout's features meet.

func TestStep_DryRun_OpensNoRing(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("internal", "beta", "1%", "100%"), time.Now()
	p.DryRun = true
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return s.Stage == 1 })
	if len(s.Rings) != 0 {
		t.Errorf("begun with rings %v", s.Rings)
	}
	for range 300 {
		now = now.Add(time.Second)
		s, _ = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tellPass)})
	}
	if len(s.Rings) != 0 || s.Stage != 1 {
		t.Errorf("by itself: stage %d, rings %v", s.Stage, s.Rings)
	}
	s, _ = gate.Step(s, p, now, gate.Operator{Verb: gate.VerbPromote, Actor: "alice", Reason: "by hand"})
	if !slices.Contains(s.Rings, "internal") {
		t.Errorf("promoted by a person: rings %v", s.Rings)
	}
}

func TestStep_StepBack_OpensNoRingThatWasShut(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("internal", "1%", "100%"), time.Now()
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return s.Weight > 0 })
	after := ringPolicy("internal", "partners", "1%", "100%")
	s, _ = gate.Step(s, after, now, gate.Replan{})
	s, _ = gate.Step(s, after, now, gate.Operator{Verb: gate.VerbStepBack, Actor: "alice", Reason: "a look"})
	if !slices.Equal(s.Rings, []string{"internal"}) || s.Weight != 0 {
		t.Errorf("stepped back to rings %v at %s, want internal alone", s.Rings, s.Weight)
	}
}

func TestStep_SparseWiden_ShareOfAStageOnly(t *testing.T) {
	t.Parallel()
	f := func(name string, first gate.Stage) {
		t.Helper()
		p, now := ringPolicy("1%", "25%", "100%"), time.Now()
		p.Stages[0] = first
		p.Criteria = []gate.Criterion{told{"error_rate"}}
		p.MaxStage, p.Sparse = 2*time.Minute, "widen"
		var s gate.State
		for range 600 {
			now = now.Add(time.Second)
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tellSparse)})
		}
		if s.Stage != 1 || s.Weight != 0 {
			t.Errorf("%s: stage %d at %s, want nobody whom its gates do not judge", name, s.Stage, s.Weight)
		}
	}
	f("ring", gate.Stage{Label: "ring internal", Audience: "internal", Least: time.Minute})
	f("mirror", gate.Stage{Label: "mirror 10 %", Mirror: 1000, Least: time.Minute})
}

func TestStep_ReloadThatTakesTheRingAway_CollectsAnew(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("internal", "1%", "100%"), time.Now()
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return len(s.Rings) > 0 })
	f := func(name string, after *gate.Policy, anew bool) {
		t.Helper()
		got, _ := gate.Step(s, after, now, gate.Replan{})
		if (got.Step > s.Step) != anew {
			t.Errorf("%s: evidence %d after %d, with rings %v", name, got.Step, s.Step, got.Rings)
		}
	}
	f("for a share", ringPolicy("1%", "100%"), true)
	f("for another ring", ringPolicy("beta", "1%", "100%"), true)
	f("for the same ring with more behind it", ringPolicy("internal", "beta", "1%", "100%"), false)
}

func TestStep_Ended_HasNoRing(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("internal", "1%", "100%"), time.Now()
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return len(s.Rings) > 0 })
	full, _ := gate.Step(s, p, now, gate.Operator{Verb: gate.VerbPromote, Actor: "alice", Reason: "by hand", Full: true})
	if full.Phase != gate.Completed || full.Weight != router.Full || len(full.Rings) != 0 {
		t.Errorf("promoted to the end: %s at %s with rings %v", full.Phase, full.Weight, full.Rings)
	}
	s.Reverted = []string{"r1.9"}
	reverted := *p
	reverted.Revision = "r1.9"
	back, _ := gate.Step(s, &reverted, now, gate.Replan{})
	if back.Phase != gate.RolledBack || len(back.Rings) != 0 {
		t.Errorf("a revision that was reverted: %s with rings %v", back.Phase, back.Rings)
	}
}

// What another system said of an earlier attempt, or of an earlier stage, says nothing of this one.
func TestStep_OutsideReadings_CountSinceTheStepBegan(t *testing.T) {
	t.Parallel()
	hold, err := criterion.ParseLimit("0.5")
	if err != nil {
		t.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "prometheus", Rollback: hold, Source: "up"})
	if err != nil {
		t.Fatal(err)
	}
	p := ringPolicy("1%", "100%")
	p.Criteria = []gate.Criterion{c}
	f := func(name string, heard gate.Outside, want gate.Phase, reason gate.Reason) {
		t.Helper()
		now, s := time.Now(), gate.State{}
		for range 31 { // 28 s in the stage, and a look
			now = now.Add(time.Second)
			seen := healthySeen(tellPass)
			if s.Age >= 28*time.Second {
				heard.Stale, heard.Heard = 3*time.Minute, true
				heard.Age = heard.Ages[len(heard.Ages)-1]
				seen.Outside = map[string]gate.Outside{c.Rule(): heard}
			}
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: seen})
		}
		if s.Phase != want || s.Reason != reason {
			t.Errorf("%s: %s for %q, want %s for %q", name, s.Phase, s.Reason, want, reason)
		}
	}
	f("both of now", gate.Outside{Values: []float64{2, 2}, Ages: []time.Duration{10 * time.Second, time.Second}}, gate.RolledBack, gate.WorseThanStable)
	f("both of before", gate.Outside{Values: []float64{2, 2}, Ages: []time.Duration{50 * time.Second, 40 * time.Second}}, gate.Progressing, gate.Collecting)
	f("one of now", gate.Outside{Values: []float64{2, 2}, Ages: []time.Duration{40 * time.Second, time.Second}}, gate.Progressing, gate.EstimateAboveHold)
}

// Nobody hears signals of a ring's members, so a gate on one has no say in their stage.
func TestStep_SignalGate_DoesNotStopARing(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"stable + 1pt", "10%"} {
		limit, err := criterion.ParseLimit(rule)
		if err != nil {
			t.Fatal(err)
		}
		c, err := criterion.New(criterion.Spec{Metric: "signal.done", Hold: limit})
		if err != nil {
			t.Fatal(err)
		}
		p, now, s := ringPolicy("internal", "1%", "100%"), time.Now(), gate.State{}
		p.Criteria = []gate.Criterion{c}
		past := &ring{errors: .01, n: 10_000, others: .01}
		view := new(window.View)
		view.Full.OK, view.Full.Stable.Outcomes[window.Success] = true, 5000
		for range 90 {
			now = now.Add(time.Second)
			seen := healthySeen(tellPass)
			seen.Past, seen.Signals = past.past(p, &s), map[string]*window.View{"done": view}
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: seen})
		}
		if s.Stage != 2 || s.Weight != 100 {
			t.Errorf("%s: stage %d at %s for %q, want the ring over", rule, s.Stage, s.Weight, s.Reason)
		}
		d := gate.Decision{Baseline: gate.AbsoluteOnly, Unjudged: []string{"signal.done"}}
		if text := gate.BaselineText(gate.State{Stage: 1, Rings: []string{"internal"}}, p, &d); text != "absolute limits only: signals are of shares of the users (done), not of rings" {
			t.Errorf("said as %q", text)
		}
	}
}

func TestStep_ReloadThatAsksNobody_WaitsForNobody(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]int{"the start": 1, "the second stage": 2} {
		asked := ringPolicy("1%", "25%", "100%")
		asked.Stages[stage-1].Approve = &gate.Approve{Timeout: time.Minute, OnTimeout: "hold"}
		now := time.Now()
		waits := drive(t, gate.State{}, asked, &now, func(s gate.State) bool { return s.Phase == gate.AwaitingApproval })
		held := drive(t, waits, asked, &now, func(s gate.State) bool { return s.Phase == gate.Holding })
		paused, _ := gate.Step(waits, asked, now, gate.Operator{Verb: gate.VerbPause, Actor: "alice"})
		for _, s := range []gate.State{waits, held, paused} {
			was := s.Phase
			p := ringPolicy("1%", "25%", "100%")
			s, _ = gate.Step(s, p, now, gate.Replan{})
			if was == gate.Paused {
				s, _ = gate.Step(s, p, now, gate.Operator{Verb: gate.VerbResume, Actor: "alice"})
			}
			at := now
			for range 10 {
				at = at.Add(time.Second)
				s, _ = gate.Step(s, p, at, gate.Tick{Seen: healthySeen(tellPass)})
			}
			if s.Stage != stage || s.Phase != gate.Progressing {
				t.Errorf("%s, %s: %s at stage %d", name, was, s.Phase, s.Stage)
			}
		}
	}
}

func TestStep_FreezeOfANewRollout_IsItsActorsOwn(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("1%", "100%"), time.Now()
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return s.Weight > 0 })
	for _, op := range []gate.Operator{
		{Verb: gate.VerbPause, Actor: "alice"}, {Verb: gate.VerbRollback, Actor: "alice"}, {Verb: gate.VerbRetry, Actor: "alice"},
	} {
		s, _ = gate.Step(s, p, now, op)
	}
	seen := healthySeen(tellPass)
	seen.Freeze = &gate.Freeze{Actor: "bob"}
	s, _ = gate.Step(s, p, now.Add(time.Second), gate.Tick{Seen: seen})
	s, d := gate.Step(s, p, now.Add(2*time.Second), gate.Operator{Verb: gate.VerbResume, Actor: "bob", All: true})
	if s.Phase != gate.Waiting || d.TakenFrom != "" {
		t.Errorf("%s, taken from %q", s.Phase, d.TakenFrom)
	}
}
