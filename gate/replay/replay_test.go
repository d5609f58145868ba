package replay

import (
	"slices"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

var began = time.Date(2026, 11, 18, 14, 0, 0, 0, time.UTC)

// stretch is traffic of a step: requests and errors per second of both arms, for so long.
type stretch struct {
	weight         router.Weight
	stage          int
	seconds        int
	stable, canary [2]uint64 // requests, errors per second
}

// record makes the windows that a step every stretch leaves.
func record(stretches ...stretch) (windows []journal.Window) {
	at := began
	for i, s := range stretches {
		for sec := 5; sec <= s.seconds; sec += 5 {
			w := journal.Window{
				Rollout: "checkout", At: at.Add(time.Duration(sec) * time.Second), Attempt: 1, Revision: "v2", Phase: gate.Progressing,
				Stage: s.stage, Weight: s.weight, Step: uint64(i + 1), Clock: time.Duration(sec) * time.Second, Age: time.Duration(sec) * time.Second,
				Warm: true, Observed: -1, StableHealthy: true, CanaryHealthy: true, Crowds: make([]window.Crowd, window.Kinds),
			}
			for arm, perSecond := range map[*window.Snapshot][2]uint64{&w.Stable: s.stable, &w.Canary: s.canary} {
				arm.Outcomes[window.ServerError] = perSecond[1] * uint64(sec)
				arm.Outcomes[window.Success] = (perSecond[0] - perSecond[1]) * uint64(sec)
			}
			w.Crowds[window.BadKind] = window.Crowd{DesignEffect: 1, BadBuckets: 50, WorstShare: .02}
			windows = append(windows, w)
		}
		at = at.Add(time.Duration(s.seconds) * time.Second)
	}
	return windows
}

func entry(seconds int, a gate.Action, from, to router.Weight, phase gate.Phase) journal.Entry {
	return journal.Entry{
		Rollout: "checkout", At: began.Add(time.Duration(seconds) * time.Second),
		Decision: gate.Decision{Action: a, From: from, To: to, Actor: gate.ActorGate, Phase: phase},
		State:    gate.State{Attempt: 1, Phase: phase},
	}
}

func policy(t *testing.T, hold, rollback string) *gate.Policy {
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
	return &gate.Policy{
		Rollout: "checkout", Criteria: []gate.Criterion{c}, Holdback: 100, AlphaFail: .01, AlphaPass: .05,
		Stages: []gate.Stage{{Weight: 1000, Least: time.Minute}, {Weight: 5000, Least: time.Minute}, {Weight: 10000, Least: time.Minute}},
	}
}

// good is a release of a canary with one point more errors, which limits of two and four points let through.
func good() *journal.Past {
	return &journal.Past{
		Windows: record(stretch{1000, 1, 60, [2]uint64{900, 9}, [2]uint64{100, 2}}, stretch{5000, 2, 60, [2]uint64{500, 5}, [2]uint64{500, 10}},
			stretch{9900, 3, 60, [2]uint64{100, 1}, [2]uint64{900, 18}}),
		Decisions: []journal.Entry{
			entry(60, gate.ActAdvance, 1000, 5000, gate.Progressing), entry(120, gate.ActAdvance, 5000, 9900, gate.Progressing),
			entry(180, gate.ActComplete, 9900, 10000, gate.Completed),
		},
	}
}

func TestAttempts_SameGates_DecideTheSame(t *testing.T) {
	t.Parallel()
	got := Attempts(good(), "checkout", policy(t, "stable + 2pt", "stable + 4pt"))
	if len(got) != 1 || got[0].Outcome != Same || got[0].Ended != "completed" || got[0].Diverges != nil || got[0].Looks != 36 {
		t.Fatalf("got %+v", got)
	}
	for _, p := range got[0].Points {
		if p.Differs || p.Would != WouldPass {
			t.Errorf("%+v", p)
		}
	}
}

func TestAttempts_StricterHold_WouldHaveHeld(t *testing.T) {
	t.Parallel()
	got := Attempts(good(), "checkout", policy(t, "stable + 0.2pt", "stable + 4pt"))
	a := got[0]
	if a.Outcome != Held || a.Diverges == nil || a.Diverges.After(began.Add(time.Minute)) {
		t.Fatalf("got %+v", a)
	}
	if p := a.Points[0]; p.Would != WouldHold || !p.Differs {
		t.Errorf("first %+v", p)
	}
}

func TestAttempts_StricterRollback_WouldHaveRevertedAndSparedUsers(t *testing.T) {
	t.Parallel()
	got := Attempts(good(), "checkout", policy(t, "stable + 0.2pt", "stable + 0.5pt"))
	a := got[0]
	if a.Outcome != RolledBack || a.Earlier != nil || a.Spared < 80_000 || a.Diverges == nil {
		t.Fatalf("got %+v", a)
	}
}

func TestAttempts_RolledBackThen_SoonerOrNotAtAll(t *testing.T) {
	t.Parallel()
	past := &journal.Past{
		Windows:   record(stretch{1000, 1, 120, [2]uint64{900, 9}, [2]uint64{100, 6}}),
		Decisions: []journal.Entry{entry(110, gate.ActRollback, 1000, 0, gate.RolledBack)},
	}
	a := Attempts(past, "checkout", policy(t, "stable + 1pt", "stable + 2pt"))[0]
	if a.Outcome != RolledBack || a.Earlier == nil || *a.Earlier < 60 || *a.Earlier > 110 || a.Ended != "rolled_back" {
		t.Errorf("stricter: %+v", a)
	}
	a = Attempts(past, "checkout", policy(t, "stable + 8pt", "stable + 20pt"))[0]
	if a.Outcome != NotRolledBack || a.Points[0].Would != WouldPass || !a.Points[0].Differs {
		t.Errorf("looser: %+v", a)
	}
}

// A late fault is seen in the rolling windows, which a replay must make of cumulative counts.
func TestAttempts_LateOnset_IsSeenInTheWindows(t *testing.T) {
	t.Parallel()
	calm := record(stretch{5000, 2, 1200, [2]uint64{500, 5}, [2]uint64{500, 5}})
	last := calm[len(calm)-1]
	for sec := 5; sec <= 60; sec += 5 {
		w := last
		w.At, w.Age, w.Clock = last.At.Add(time.Duration(sec)*time.Second), last.Age+time.Duration(sec)*time.Second, last.Clock
		w.Stable.Outcomes[window.Success] += uint64(495 * sec)
		w.Stable.Outcomes[window.ServerError] += uint64(5 * sec)
		w.Canary.Outcomes[window.Success] += uint64(450 * sec)
		w.Canary.Outcomes[window.ServerError] += uint64(50 * sec)
		calm = append(calm, w)
	}
	a := Attempts(&journal.Past{Windows: calm}, "checkout", policy(t, "stable + 1pt", "stable + 3pt"))[0]
	if a.Outcome != RolledBack || a.Points[len(a.Points)-1].At.Before(last.At) {
		t.Errorf("got %+v", a)
	}
	if f := a.Points[len(a.Points)-1].Gates[0]; f.WindowSeconds == 0 || !strings.HasPrefix(f.Metric, "error") {
		t.Errorf("finding %+v", f)
	}
}

func TestAttempts_PersonsActs_AreNotTheGates(t *testing.T) {
	t.Parallel()
	past := good()
	past.Decisions[0].Decision.Action, past.Decisions[0].Decision.Actor = gate.ActPromote, "alice"
	for _, p := range Attempts(past, "checkout", policy(t, "stable + 2pt", "stable + 4pt"))[0].Points {
		if p.By == "alice" && (p.Would != TheSame || p.Differs) {
			t.Errorf("%+v", p)
		}
	}
	if got := Attempts(past, "another", policy(t, "stable + 2pt", "stable + 4pt")); len(got) != 0 {
		t.Errorf("another rollout: %+v", got)
	}
}

// What a metrics store, a check, a mirror or business signals said is not recorded: their gates have no say, and are named.
func TestAttempts_GatesWithoutRecordedEvidence_AreLeftOut(t *testing.T) {
	t.Parallel()
	p := policy(t, "stable + 2pt", "stable + 4pt")
	limit, err := criterion.ParseLimit("0.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []criterion.Spec{{Metric: "prometheus", Rollback: limit, Source: "up"}, {Metric: "signal.done", Hold: limit}} {
		c, err := criterion.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		p.Criteria = append(p.Criteria, c)
	}
	a := Attempts(good(), "checkout", p)[0]
	if a.Outcome != Same || a.Diverges != nil || !slices.Equal(a.LeftOut, []string{"prometheus", "signal.done"}) {
		t.Errorf("good: %s, diverges %v, left out %v", a.Outcome, a.Diverges, a.LeftOut)
	}
	for name, f := range map[string]gate.Finding{
		"a metrics store": {Metric: "prometheus", Verdict: gate.Fail}, "a ring's own past": {Metric: "error_rate", Verdict: gate.Fail, Past: true},
	} {
		past := &journal.Past{
			Windows:   record(stretch{1000, 1, 120, [2]uint64{900, 9}, [2]uint64{100, 1}}),
			Decisions: []journal.Entry{entry(110, gate.ActRollback, 1000, 0, gate.RolledBack)},
		}
		past.Decisions[0].Decision.Findings = []gate.Finding{f}
		if a := Attempts(past, "checkout", p)[0]; a.Outcome != Same || a.Points[0].Would != TheSame {
			t.Errorf("rolled back by %s: %s, %+v", name, a.Outcome, a.Points)
		}
	}
}
