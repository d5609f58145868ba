package experiment_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/experiment"
	"serin/gate/window"
	"serin/router"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func errorGate(t *testing.T) gate.Criterion {
	t.Helper()
	hold, err := criterion.ParseLimit("stable + 0.5pt")
	if err != nil {
		t.Fatal(err)
	}
	roll, err := criterion.ParseLimit("stable + 2pt")
	if err != nil {
		t.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "error_rate", Hold: hold, Rollback: roll})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func policy(t *testing.T) *experiment.Policy {
	return &experiment.Policy{
		Name: "button", Revision: "r1", For: time.Minute, Criteria: []gate.Criterion{errorGate(t)}, AlphaFail: .01, AlphaPass: .05,
		Arms: []experiment.Arm{{Name: "control", Share: 4000}, {Name: "green", Share: 3000}, {Name: "blue", Share: 3000}},
	}
}

// running is the state after the start.
func running(t *testing.T, p *experiment.Policy) gate.State {
	t.Helper()
	s, d, _ := experiment.Step(gate.State{}, p, start, experiment.Tick{})
	if d.Action != gate.ActStart || s.Phase != gate.Progressing || d.To != 6000 || d.Protective() {
		t.Fatalf("got %v to %v in %v, want a start to 60 %%", d.Action, d.To, s.Phase)
	}
	return s
}

// view is an arm against the control, each with errors of requests, spread over users.
func view(control, bad, arm, badArm int) window.View {
	tracker := window.NewTracker(window.TrackerOptions{})
	fill := func(n, bad int) *window.Snapshot {
		m := window.NewMeter(window.Options{Users: true})
		for i := range n {
			o := window.Success
			if i < bad {
				o = window.ServerError
			}
			m.Record(0, uint16(i*7%window.Buckets), o, 20*time.Millisecond)
		}
		var s window.Snapshot
		m.Read(&s, true)
		return &s
	}
	none := &window.Snapshot{}
	tracker.Add(start, none, none)
	tracker.Add(start.Add(5*time.Second), fill(control, bad), fill(arm, badArm))
	return tracker.View(start.Add(5 * time.Second))
}

func TestStep_BadArm_IsStoppedAndTheOthersGoOn(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	seen := experiment.Seen{Views: []window.View{{}, view(4000, 20, 3000, 15), view(4000, 20, 3000, 400)}}
	s, d, findings := experiment.Step(s, p, start.Add(time.Second), experiment.Tick{Seen: seen})
	if d.Action != gate.ActStopArm || d.Arm != "blue" || d.From != 6000 || d.To != 3000 || !d.Protective() || !d.News {
		t.Fatalf("got %v of %q from %v, want blue stopped", d.Action, d.Arm, d.From)
	}
	if s.Phase != gate.Progressing || len(s.Stopped) != 1 || len(findings[1]) != 1 {
		t.Errorf("got %v with %v stopped", s.Phase, s.Stopped)
	}
	if text := experiment.Explain(s, p, d); !strings.HasPrefix(text, "Stopped blue; its users are on control: error_rate is 13.33 % (400 of 3000)") {
		t.Errorf("got %q", text)
	}
	_, d, _ = experiment.Step(s, p, start.Add(2*time.Second), experiment.Tick{Seen: seen})
	if d.Action != gate.ActHold || d.To != 3000 {
		t.Errorf("got %v at %v, want a hold with green's share alone", d.Action, d.To)
	}
}

func TestStep_EveryArmBad_EndsTheExperiment(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	bad := view(4000, 20, 3000, 400)
	seen := experiment.Seen{Views: []window.View{{}, bad, bad}}
	for i := range 2 {
		var d gate.Decision
		s, d, _ = experiment.Step(s, p, start.Add(time.Duration(i+1)*time.Second), experiment.Tick{Seen: seen})
		if d.Action != gate.ActStopArm {
			t.Fatalf("look %d: got %v, want an arm stopped", i, d.Action)
		}
	}
	if s.Phase != gate.RolledBack || experiment.Running(s, p) {
		t.Errorf("got %v, want rolled back", s.Phase)
	}
}

func TestStep_TimeOver_EndsWithEverybodyOnTheControl(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	now := start
	var d gate.Decision
	for range 70 {
		now = now.Add(time.Second)
		if s, d, _ = experiment.Step(s, p, now, experiment.Tick{}); d.Action != gate.ActHold {
			break
		}
	}
	if d.Action != gate.ActEnd || s.Phase != gate.Completed || now.Sub(start) != time.Minute || d.From != 6000 {
		t.Errorf("got %v after %s in %v", d.Action, now.Sub(start), s.Phase)
	}
	_, d, _ = experiment.Step(s, p, now.Add(time.Hour), experiment.Tick{})
	if d.News {
		t.Errorf("an experiment that is over did %v", d.Action)
	}
}

func TestStep_TimeNobodyWatched_IsNotPartOfIt(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	s, _, _ = experiment.Step(s, p, start.Add(time.Hour), experiment.Tick{})
	if s.Clock != 10*time.Second {
		t.Errorf("got %s on the clock after an hour's gap, want 10s", s.Clock)
	}
}

func TestStep_OtherArms_BeginAnew(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	s.Stopped = []string{"blue"}
	other := *p
	other.Revision = "r2"
	s, d, _ := experiment.Step(s, &other, start, experiment.Replan{})
	if d.Action != gate.ActRestart || !d.Protective() || experiment.Running(s, &other) {
		t.Fatalf("got %v in %v, want a restart with nobody on an arm", d.Action, s.Phase)
	}
	s, d, _ = experiment.Step(s, &other, start, experiment.Tick{})
	if d.Action != gate.ActStart || s.Attempt != 2 || len(s.Stopped) != 0 || s.Clock != 0 {
		t.Errorf("got %v, attempt %d, %v stopped", d.Action, s.Attempt, s.Stopped)
	}
}

func TestStep_APersonStops_OneArmOrAll(t *testing.T) {
	p := policy(t)
	s := running(t, p)
	one, d, _ := experiment.Step(s, p, start, experiment.Stop{Arm: "green", Actor: "ana", Reason: "wrong colour"})
	if d.Action != gate.ActStopArm || len(one.Stopped) != 1 || experiment.Explain(one, p, d) != "Stopped green; its users are on control: stopped by ana (wrong colour)." {
		t.Errorf("got %v, %q", d.Action, experiment.Explain(one, p, d))
	}
	all, d, _ := experiment.Step(one, p, start, experiment.Stop{Actor: "ana"})
	if d.Action != gate.ActRollback || all.Phase != gate.RolledBack || !d.Protective() {
		t.Errorf("got %v in %v", d.Action, all.Phase)
	}
	for _, arm := range []string{"control", "red", "green"} {
		if _, d, _ := experiment.Step(one, p, start, experiment.Stop{Arm: arm}); d.Action != gate.ActRefuse || d.News {
			t.Errorf("%s: got %v, want it refused", arm, d.Action)
		}
	}
	if _, d, _ := experiment.Step(all, p, start, experiment.Stop{}); d.Refusal != gate.RefusedPhase {
		t.Errorf("stopped twice: got %q", d.Refusal)
	}
}

func TestStep_Withdrawn_IsJournalledOnce(t *testing.T) {
	p := policy(t)
	s, d, _ := experiment.Step(running(t, p), p, start, experiment.Replan{Withdrawn: true})
	if d.Action != gate.ActWithdrawn || !d.News || experiment.Running(s, p) {
		t.Errorf("got %v in %v", d.Action, s.Phase)
	}
	if _, d, _ := experiment.Step(s, p, start, experiment.Replan{Withdrawn: true}); d.News {
		t.Errorf("withdrawn twice")
	}
}

func TestRatioOf_FairExperiments_AreSeldomSuspected(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs = 2000
	suspected := 0
	for range runs {
		users, possible := []int{0, 0, 0}, []int{4000, 3000, 3000}
		for i := range 2000 {
			switch r := random.Float64(); {
			case r < .4:
				users[0]++
			case r < .7:
				users[1]++
			default:
				users[2]++
			}
			if i%50 == 49 && experiment.RatioOf([]float64{.4, .3, .3}, users, possible).Verdict == "mismatch" {
				suspected++
				break
			}
		}
	}
	if suspected > 8 {
		t.Errorf("suspected %d of %d fair experiments over 40 looks each, want at most 1 in 1000", suspected, runs)
	}
}

func TestRatioOf_ArmThatLosesUsers_IsFound(t *testing.T) {
	f := func(want string, users ...int) {
		t.Helper()
		got := experiment.RatioOf([]float64{.5, .5}, users, []int{5000, 5000})
		if got.Verdict != want || math.IsNaN(got.Odds) || math.IsInf(got.Odds, 0) {
			t.Errorf("%v: got %s with odds %v, want %s", users, got.Verdict, got.Odds, want)
		}
	}
	f("ok", 1000, 1010)
	f("mismatch", 1000, 780)
	f("mismatch", 3000, 0)
	f("too_few", 20, 10)
	f("too_few", 0, 0)
	f("saturated", 4990, 4985)
}

func TestResults_ShowTheDifferenceWithItsInterval(t *testing.T) {
	fill := func(n, bad int, latency time.Duration) *window.Snapshot {
		m := window.NewMeter(window.Options{Users: true})
		for i := range n {
			o := window.Success
			if i%n < bad {
				o = window.ServerError
			}
			m.Record(0, uint16(i%window.Buckets), o, latency+time.Duration(i%100)*time.Millisecond)
		}
		var s window.Snapshot
		m.Read(&s, true)
		return &s
	}
	got := experiment.Results([]*window.Snapshot{fill(5000, 50, 100*time.Millisecond), fill(4000, 120, 150*time.Millisecond), {}}, nil)
	if r := got[0]; r.Requests != 5000 || r.Errors != 50 || r.Rate != .01 || r.Users != 5000 || r.Difference != 0 || r.P50Change.Known {
		t.Errorf("control: got %+v", r)
	}
	if r := got[1]; math.Abs(r.Difference-.02) > 1e-9 || r.DifferenceLow <= 0 || r.DifferenceLow >= .02 || r.DifferenceHigh <= .02 {
		t.Errorf("arm: got a difference of %v between %v and %v", r.Difference, r.DifferenceLow, r.DifferenceHigh)
	}
	c := got[1].P50Change
	if !c.Known || c.Value < 40*time.Millisecond || c.Value > 60*time.Millisecond || c.Low > c.Value || c.High < c.Value || c.Low < 20*time.Millisecond {
		t.Errorf("arm: got a median %v later, between %v and %v", c.Value, c.Low, c.High)
	}
	if r := got[2]; r.Requests != 0 || r.DifferenceLow != -1 || r.DifferenceHigh != 1 || r.P99Change.Known {
		t.Errorf("an arm nobody met: got %+v", r)
	}
}

func FuzzStep_AnyEvents_KeepTheExperimentWhole(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 3, 4, 5, 0})
	f.Fuzz(func(t *testing.T, events []byte) {
		p := policy(t)
		other := *p
		other.Revision = "r2"
		var s gate.State
		now := start
		for _, e := range events {
			now = now.Add(time.Duration(e>>4) * time.Second)
			policy := p
			if e&8 != 0 {
				policy = &other
			}
			var event experiment.Event = experiment.Tick{}
			switch e & 7 {
			case 1:
				event = experiment.Stop{Arm: "green", Actor: "ana"}
			case 2:
				event = experiment.Stop{Actor: "ana"}
			case 3:
				event = experiment.Replan{}
			case 4:
				event = experiment.Replan{Withdrawn: true}
			}
			next, d, _ := experiment.Step(s, policy, now, event)
			if d.From > router.Full || d.To > router.Full || len(next.Stopped) > 2 || next.Version < s.Version || experiment.Explain(next, policy, d) == "" {
				t.Fatalf("%v: got %+v, %+v", event, next, d)
			}
			if next.Weight != d.To {
				t.Fatalf("%v: the state's weight is %v, the decision's %v", event, next.Weight, d.To)
			}
			if d.To > d.From && d.Action != gate.ActStart {
				t.Fatalf("%v sends users to an arm: %+v", event, d)
			}
			s = next
		}
	})
}
