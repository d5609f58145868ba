package gate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// told is a criterion that answers what the view tells it to, in the place of a latency's seconds.
type told struct{ name string }

const (
	tellHold = iota
	tellPass
	tellFail
	tellConfirmed
	tellClear
	tellSparse
)

func (c told) Metric() string               { return c.name }
func (c told) Rule() string                 { return "as told" }
func (c told) CanFail() bool                { return true }
func (c told) Applies(int, gate.Stage) bool { return true }
func (c told) Judge(q gate.Question) gate.Finding {
	f := gate.Finding{Metric: c.name, Scale: "points", Rule: c.Rule(), Reason: gate.EstimateAboveHold}
	switch int(q.View.Full.Canary.Seconds) {
	case tellPass:
		if q.Dwelled {
			f.Verdict, f.Reason = gate.Pass, gate.Passed
		} else {
			f.Reason = gate.Collecting
		}
		f.Clear = true
	case tellFail:
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case tellConfirmed:
		f.Reason, f.Confirmed = gate.WorseThanStable, true
	case tellClear:
		f.Clear = true
	case tellSparse:
		f.Reason = gate.NotEnoughEvidence
	}
	return f
}

func healthySeen(tell int) gate.Seen {
	s := gate.Seen{StableHealthy: true, CanaryHealthy: true, WindowOpen: true, JournalAvailable: true, ObservedWeight: -1}
	s.View.Full.Canary.Seconds = float64(tell)
	return s
}

// draw is a source of choices: random numbers, or a fuzzer's bytes.
type draw func(n int) int

func randomPolicy(pick draw) *gate.Policy {
	p := &gate.Policy{
		Rollout: "r", Revision: fmt.Sprintf("v%d", pick(3)), StableRevision: fmt.Sprintf("v%d", pick(3)),
		Criteria: []gate.Criterion{told{"error_rate"}}, ManualStart: pick(4) == 0,
		MaxStage: time.Duration(pick(3)) * time.Minute, Sparse: []string{"extend", "widen", "ask"}[pick(3)],
		WidenMax: router.Weight(pick(10_001)), HoldTimeout: time.Duration(pick(3)) * 20 * time.Second,
		OnHoldTimeout: []string{"rollback", "step_back", "ask"}[pick(3)], OnFail: []string{"rollback", "rollback", "freeze"}[pick(3)],
		Holdback: []router.Weight{0, 100, 5000}[pick(3)], KeepOld: time.Duration(pick(2)) * time.Minute, DryRun: pick(6) == 0,
	}
	if pick(3) == 0 {
		p.RevertOver = time.Duration(1+pick(30)) * time.Second
	}
	if pick(3) == 0 {
		p.Capacity, p.StableCapacity = float64(1+pick(200)), float64(pick(200))
	}
	if pick(5) == 0 {
		p.Plain = &gate.Plain{Window: time.Minute, MinRequests: 1, Failures: 1 + pick(3)}
	}
	if pick(6) == 0 {
		p.Stages = append(p.Stages, gate.Stage{Label: "preview", Preview: true, Least: 5 * time.Second})
	}
	for _, name := range []string{"staff", "beta"} {
		if pick(5) == 0 {
			p.Stages = append(p.Stages, gate.Stage{Label: "ring " + name, Audience: name, Least: 5 * time.Second})
		}
	}
	if pick(6) == 0 {
		p.Stages = append(p.Stages, gate.Stage{Label: "mirror 10 %", Mirror: 1000, Least: 5 * time.Second})
	}
	for w := 1 + pick(3000); ; w += 1 + pick(4000) {
		st := gate.Stage{Weight: router.Weight(min(w, 10_000)), Least: time.Duration(pick(20)) * time.Second}
		if pick(4) == 0 {
			st.Approve = &gate.Approve{Timeout: time.Duration(pick(3)) * 10 * time.Second,
				OnTimeout: []string{"hold", "rollback", "advance"}[pick(3)]}
			st.Owner = []string{"", "product"}[pick(2)]
		}
		if pick(8) == 0 {
			st.Audience = "partners"
		}
		p.Stages = append(p.Stages, st)
		if w >= 10_000 {
			return p
		}
	}
}

func randomEvent(pick draw, s gate.State) gate.Event {
	switch pick(12) {
	case 0:
		op := gate.Operator{Verb: gate.Verb(pick(10)), Actor: "alice", Full: pick(4) == 0, FromStage: pick(6) - 1}
		if pick(4) == 0 {
			v := s.Version + uint64(pick(2))
			op.IfVersion = &v
		}
		op.All, op.Frozen, op.Load = pick(4) == 0, pick(6) == 0, float64(pick(300))
		op.Rights = []*gate.Rights{nil, {Admin: true}, {Owns: []string{"product"}}, {Ceiling: 500}}[pick(4)]
		return op
	case 1:
		return gate.Replan{Withdrawn: pick(10) == 0}
	}
	seen := healthySeen(pick(6))
	seen.Load = float64(pick(300))
	if pick(12) == 0 {
		seen.Freeze = &gate.Freeze{Actor: "bob"}
	}
	if pick(3) == 0 {
		seen.CanaryHealthy, seen.StableHealthy = pick(3) > 0, pick(3) > 0
		seen.WindowOpen, seen.JournalAvailable = pick(2) > 0, pick(2) > 0
	}
	if pick(20) == 0 {
		seen.ObservedWeight = 1
		seen.View.Full.Stable.Outcomes[window.Success] = 1000
	}
	return gate.Tick{Seen: seen}
}

// walk plays n random events and holds every step to the brain's promises.
func walk(t *testing.T, pick draw, n int) {
	t.Helper()
	p := randomPolicy(pick)
	now := time.Date(2026, 11, 18, 14, 0, 0, 0, time.UTC)
	var s gate.State
	for range n {
		now = now.Add(time.Duration(pick(8000)) * time.Millisecond)
		if pick(60) == 0 {
			now = now.Add(time.Hour)
		}
		if pick(40) == 0 {
			p = randomPolicy(pick)
		}
		if pick(50) == 0 {
			s = throughJSON(t, s)
		}
		ev := randomEvent(pick, s)
		before := s
		before.History, before.Reverted, before.SteppedBack = slices.Clone(s.History), slices.Clone(s.Reverted), slices.Clone(s.SteppedBack)
		next, d := gate.Step(s, p, now, ev)
		again, dAgain := gate.Step(s, p, now, ev)
		if !reflect.DeepEqual(next, again) || !reflect.DeepEqual(d, dAgain) {
			t.Fatalf("two answers to one question:\n%+v\n%+v", next, again)
		}
		if !reflect.DeepEqual(before, s) {
			t.Fatalf("Step changed the state it was given:\n%+v\n%+v", before, s)
		}
		promises(t, p, s, next, d, ev)
		if d.News || pick(20) == 0 {
			speaks(t, p, next, d, now)
		}
		if t.Failed() {
			s.Baseline, next.Baseline = nil, nil
			t.Fatalf("policy %+v\nevent %s\nfrom %+v\nto   %+v\ndecision %+v", p, briefly(ev), s, next, d)
		}
		s = next
	}
	reverts(t, p, s, now)
}

func throughJSON(t *testing.T, s gate.State) gate.State {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out gate.State
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// briefly is an event without its histograms.
func briefly(ev gate.Event) string {
	tick, ok := ev.(gate.Tick)
	if !ok {
		return fmt.Sprintf("%+v", ev)
	}
	told := tick.Seen.View.Full.Canary.Seconds
	tick.Seen.View = window.View{}
	return fmt.Sprintf("tick told %g, canary %v, stable %v, window %v, journal %v", told, tick.Seen.CanaryHealthy,
		tick.Seen.StableHealthy, tick.Seen.WindowOpen, tick.Seen.JournalAvailable)
}

func promises(t *testing.T, p *gate.Policy, s, next gate.State, d gate.Decision, ev gate.Event) {
	t.Helper()
	was := s.Weight
	if s.Ebb.Weight > 0 && d.Action == gate.ActRollback && d.News { // a second rollback cuts a gradual return short
		was = s.Ebb.Weight
	}
	ebbs(t, p, s, next, d)
	opens(t, p, s, next, d, ev)
	switch {
	case next.Weight > router.Full:
		t.Errorf("weight %d is more than everybody", next.Weight)
	case next.Stage < 0 || next.Stage > max(len(p.Stages), s.Stage):
		t.Errorf("stage %d of %d", next.Stage, len(p.Stages))
	case d.From != was || d.To != next.Weight || d.Phase != next.Phase || d.Stage != next.Stage:
		t.Errorf("the decision tells another story than the state")
	case d.Protective() != (next.Weight < was):
		t.Errorf("Protective is %v", d.Protective())
	case d.News != (next.Version == s.Version+1) || !d.News && next.Version != s.Version:
		t.Errorf("News is %v, version %d -> %d", d.News, s.Version, next.Version)
	case next.Weight != s.Weight && next.Step <= s.Step:
		t.Errorf("another weight with the same evidence")
	case next.Step < s.Step:
		t.Errorf("the evidence's identity went back")
	case d.Action == gate.ActRefuse && !reflect.DeepEqual(s, next):
		t.Errorf("a refusal changed the state")
	case s.Phase == gate.RolledBack && next.Phase != gate.RolledBack && d.Action != gate.ActRetry &&
		d.Action != gate.ActRestart && d.Action != gate.ActWithdrawn && d.Reason != gate.StableOutdated &&
		d.Action != gate.ActReplan:
		t.Errorf("a rolled-back revision moved by itself")
	case (next.Phase == gate.RolledBack || next.Phase == gate.Waiting && d.Reason != gate.StableOutdated && d.Action != gate.ActRefuse &&
		s.Reason != gate.StableOutdated) && next.Weight != 0:
		t.Errorf("%s with users on the canary", next.Phase)
	}
	if next.Weight > s.Weight {
		raises(t, p, s, next, d, ev)
	}
	if p.DryRun && next.Weight > s.Weight && d.Action != gate.ActReplan && d.Action != gate.ActPromote {
		t.Errorf("a dry run raised the weight")
	}
}

// ebbs: a gradual return only goes down, from what was decided, and only after a rollback.
func ebbs(t *testing.T, p *gate.Policy, s, next gate.State, d gate.Decision) {
	t.Helper()
	e := next.Ebb.Weight
	switch {
	case e == 0:
	case next.Phase != gate.RolledBack || next.Weight != 0:
		t.Errorf("a gradual return in %s at weight %s", next.Phase, next.Weight)
	case d.Action == gate.ActRollback && s.Phase != gate.RolledBack:
		if e > s.Weight || p.RevertOver == 0 {
			t.Errorf("a gradual return from %s of %s", e, s.Weight)
		}
	case e > s.Ebb.Weight:
		t.Errorf("a gradual return went up from %s to %s", s.Ebb.Weight, e)
	}
}

// opens: a ring opens on pass or by a person, in a stage that has it on the ladder; an end closes them all.
func opens(t *testing.T, p *gate.Policy, s, next gate.State, d gate.Decision, ev gate.Event) {
	t.Helper()
	if len(next.Rings) > 0 && (next.Phase == gate.Completed || next.Phase == gate.RolledBack || next.Phase == gate.Waiting || next.Stage == 0) {
		t.Errorf("%s at stage %d with rings %v", next.Phase, next.Stage, next.Rings)
	}
	for _, ring := range next.Rings {
		if slices.Contains(s.Rings, ring) {
			continue
		}
		switch tick, ok := ev.(gate.Tick); {
		case d.Action == gate.ActPromote:
		case p.DryRun || !ok || d.Action != gate.ActStart && d.Action != gate.ActAdvance:
			t.Errorf("%s opened ring %s", d.Action, ring)
		case tick.Seen.Freeze != nil || !tick.Seen.CanaryHealthy || !tick.Seen.WindowOpen || !tick.Seen.JournalAvailable:
			t.Errorf("%s opened ring %s without pool, window or journal, or in a freeze", d.Action, ring)
		}
		if next.Step <= s.Step {
			t.Errorf("ring %s is judged by evidence of before", ring)
		}
	}
}

// raises: the weight rises on pass, by opted-in widening, or by a person; never otherwise.
func raises(t *testing.T, p *gate.Policy, s, next gate.State, d gate.Decision, ev gate.Event) {
	t.Helper()
	switch d.Action {
	case gate.ActPromote:
		op, ok := ev.(gate.Operator)
		if !ok || op.Verb != gate.VerbPromote || !d.Override {
			t.Errorf("promoted by nobody")
		}
		if op.Frozen && !op.All || p.Capacity > 0 && op.Load*next.Weight.Fraction() > p.Capacity {
			t.Errorf("promoted in spite of a freeze or the pool's capacity")
		}
		return
	case gate.ActReplan: // the revision that everybody had is named again
		if next.Phase != gate.Completed || next.Live != p.Revision {
			t.Errorf("a reload raised the weight")
		}
		return
	case gate.ActStart, gate.ActAdvance, gate.ActComplete, gate.ActWiden:
	default:
		t.Errorf("%s raised the weight", d.Action)
		return
	}
	tick, ok := ev.(gate.Tick)
	if !ok || !tick.Seen.CanaryHealthy || !tick.Seen.WindowOpen || !tick.Seen.JournalAvailable {
		t.Errorf("%s without pool, window or journal", d.Action)
		return
	}
	if tick.Seen.Freeze != nil || p.Capacity > 0 && tick.Seen.Load*next.Weight.Fraction() > p.Capacity {
		t.Errorf("%s in spite of a freeze or the pool's capacity", d.Action)
	}
	told := int(tick.Seen.View.Full.Canary.Seconds)
	switch d.Action {
	case gate.ActAdvance, gate.ActComplete:
		if told != tellPass || s.Phase != gate.Progressing || next.Phase == gate.Progressing && next.Clock != 0 {
			t.Errorf("%s from %s without a pass", d.Action, s.Phase)
		}
		if st := p.Stages[max(next.Stage, 1)-1]; d.Action == gate.ActAdvance && (st.Approve != nil || st.Owner != "") && s.Approved != next.Stage {
			t.Errorf("%s into a stage that nobody approved", d.Action)
		}
		if s.Last.IsZero() {
			t.Errorf("%s at the first look after a restart", d.Action)
		}
	case gate.ActWiden:
		if p.Sparse != "widen" || s.Widened || told != tellSparse || !tick.Seen.StableHealthy {
			t.Errorf("widened without being asked to")
		}
		if p.Stages[s.Stage-1].Weight == 0 {
			t.Errorf("widened a stage whose gates judge no share")
		}
	case gate.ActStart:
		if s.Stage != 0 || p.ManualStart && !s.Begun {
			t.Errorf("started from stage %d, begun %v", s.Stage, s.Begun)
		}
	}
}

// speaks: every decision and state has its words.
func speaks(t *testing.T, p *gate.Policy, s gate.State, d gate.Decision, now time.Time) {
	t.Helper()
	sentence := gate.Explain(s, p, d)
	if !strings.HasSuffix(sentence, ".") || strings.Contains(sentence, "%!") || strings.Contains(sentence, "unknown") ||
		strings.Contains(sentence, "  ") || strings.Contains(sentence, "..") {
		t.Errorf("%s is explained as %q", d.Action, sentence)
	}
	if next := gate.Next(s, p, d, now); next == "" != s.Withdrawn || strings.Contains(next, "%!") {
		t.Errorf("next of %s is %q", s.Phase, next)
	}
	for _, line := range gate.Why(s, p, d, &window.View{}, 0) {
		if line == "" || strings.Contains(line, "%!") {
			t.Errorf("why of %s: %q", s.Phase, line)
		}
	}
	for _, v := range gate.Allowed(s, p, now) {
		if strings.Contains(v, "unknown") {
			t.Errorf("allowed: %s", v)
		}
	}
}

// reverts: wherever the rollout is, a person gets everybody off the canary, and a fail does.
func reverts(t *testing.T, p *gate.Policy, s gate.State, now time.Time) {
	t.Helper()
	if s.Attempt == 0 || s.Withdrawn {
		return
	}
	after, d := gate.Step(s, p, now, gate.Operator{Verb: gate.VerbRollback, Actor: "alice"})
	late := (s.Phase == gate.Completed || s.Weight == router.Full && s.Reason == gate.StableOutdated) && s.Kept >= p.KeepOld
	if !late && (after.Weight != 0 || after.Phase != gate.RolledBack) {
		t.Errorf("rollback from %s: %+v", s.Phase, d)
	}
	live := s.Stage > 0 && s.Phase != gate.Completed && s.Phase != gate.RolledBack && s.Phase != gate.Waiting
	if !live || p.OnFail == "freeze" || p.DryRun || p.Plain != nil || s.Weight == router.Full || s.Revision != p.Revision {
		return
	}
	after, d = gate.Step(s, p, now.Add(time.Second), gate.Tick{Seen: healthySeen(tellFail)})
	if after.Weight != 0 || after.Phase != gate.RolledBack || d.Action != gate.ActRollback {
		t.Errorf("a fail in %s: %+v", s.Phase, d)
	}
}

func TestStep_AnyEventsInAnyOrder_KeepTheBrainsPromises(t *testing.T) {
	t.Parallel()
	runs := 400
	if testing.Short() {
		runs = 50
	}
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		walk(t, r.IntN, 120)
	}
}

func FuzzStep(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(r.IntN(256))
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pick := func(n int) int {
			if len(data) < 2 {
				return 0
			}
			v := int(data[0])<<8 | int(data[1])
			data = data[2:]
			return v % n
		}
		walk(t, pick, min(len(data)/16, 100))
	})
}

func TestStep_GoodCanary_EndsAtOneHundredPercent(t *testing.T) {
	t.Parallel()
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		p := randomPolicy(r.IntN)
		p.Revision, p.StableRevision = "v2", "v1"
		p.ManualStart, p.DryRun = false, false
		limit := 3
		for i := range p.Stages {
			p.Stages[i].Approve, p.Stages[i].Owner, p.Stages[i].Preview = nil, "", false
			limit += int(p.Stages[i].Least/time.Second) + 1
		}
		var s gate.State
		now := time.Unix(0, 0)
		for i := 0; s.Phase != gate.Completed; i++ {
			if i > limit {
				t.Fatalf("seed %d: %s at stage %d of %d after %d ticks, want completed", seed, s.Phase, s.Stage, len(p.Stages), i)
			}
			now = now.Add(time.Second)
			s, _ = gate.Step(s, p, now, gate.Tick{Seen: healthySeen(tellPass)})
		}
		if s.Weight != router.Full {
			t.Fatalf("seed %d: completed at %s", seed, s.Weight)
		}
	}
}

// From every phase, by the evidence where there are users, by a person everywhere.
func TestStep_Rollback_IsReachableFromEveryPhase(t *testing.T) {
	t.Parallel()
	p := &gate.Policy{
		Rollout: "r", Revision: "v2", StableRevision: "v1", Criteria: []gate.Criterion{told{"error_rate"}}, KeepOld: time.Hour,
		Holdback: 100, Stages: []gate.Stage{{Weight: 500, Least: time.Minute}, {Weight: 10_000, Least: time.Minute}},
	}
	for phase := gate.Waiting; phase <= gate.RolledBack; phase++ {
		s := gate.State{
			Phase: phase, Stage: 1, Weight: 500, Revision: "v2", Attempt: 1, Resume: gate.Progressing, Step: 3,
			Last: time.Unix(100, 0),
		}
		switch phase {
		case gate.Waiting, gate.RolledBack:
			s.Stage, s.Weight = 0, 0
		case gate.Completed:
			s.Stage, s.Weight, s.Live = 2, router.Full, "v2"
		case gate.Holding:
			s.Cause = gate.CauseFinding
		}
		after, _ := gate.Step(s, p, time.Unix(101, 0), gate.Operator{Verb: gate.VerbRollback})
		if after.Phase != gate.RolledBack || after.Weight != 0 {
			t.Errorf("a person in %s: got %s at %s", phase, after.Phase, after.Weight)
		}
		after, d := gate.Step(s, p, time.Unix(101, 0), gate.Tick{Seen: healthySeen(tellFail)})
		switch phase {
		case gate.Waiting, gate.Completed, gate.RolledBack:
			if d.Action == gate.ActRollback {
				t.Errorf("a fail in %s rolled back", phase)
			}
		default:
			if after.Phase != gate.RolledBack || after.Weight != 0 {
				t.Errorf("a fail in %s: got %s at %s", phase, after.Phase, after.Weight)
			}
		}
	}
}

func TestStep_SuspendedMachine_HasNotDwelled(t *testing.T) {
	t.Parallel()
	p := &gate.Policy{Revision: "v2", Criteria: []gate.Criterion{told{"error_rate"}}, Stages: []gate.Stage{{Weight: 10_000, Least: time.Hour}}}
	s := gate.State{Phase: gate.Progressing, Stage: 1, Weight: 10_000, Revision: "v2", Attempt: 1, Last: time.Unix(0, 0)}
	s, d := gate.Step(s, p, time.Unix(0, 0).Add(5*time.Hour), gate.Tick{Seen: healthySeen(tellPass)})
	if d.Action != gate.ActHold || s.Clock > 15*time.Second {
		t.Errorf("five hours asleep: got %s, clock %v", d.Action, s.Clock)
	}
	s, _ = gate.Step(s, p, time.Unix(0, 0), gate.Tick{Seen: healthySeen(tellPass)})
	if s.Clock < 0 || s.Clock > 15*time.Second {
		t.Errorf("a clock gone backwards: got %v", s.Clock)
	}
}

func TestStep_NoSuchEvent_IsABug(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "BUG:") {
			t.Errorf("got %v", r)
		}
	}()
	gate.Step(gate.State{}, &gate.Policy{}, time.Time{}, nil)
}

func TestWords_EveryEnum_HasOne(t *testing.T) {
	t.Parallel()
	f := func(what string, n int, text func(int) string, marshal func(int) ([]byte, error)) {
		t.Helper()
		seen := map[string]bool{}
		for i := range n {
			word := text(i)
			if word == "unknown" || seen[word] {
				t.Errorf("%s %d is %q", what, i, word)
			}
			seen[word] = true
			if b, err := marshal(i); err != nil || string(b) != word {
				t.Errorf("%s %d: got %q, %v", what, i, b, err)
			}
		}
		if text(n) != "unknown" {
			t.Errorf("%s %d has the word %q: this test does not know it", what, n, text(n))
		}
		if _, err := marshal(n); err == nil {
			t.Errorf("%s %d can be written", what, n)
		}
	}
	f("phase", int(gate.RolledBack)+1, func(i int) string { return gate.Phase(i).String() },
		func(i int) ([]byte, error) { return gate.Phase(i).MarshalText() })
	f("verdict", int(gate.Fail)+1, func(i int) string { return gate.Verdict(i).String() },
		func(i int) ([]byte, error) { return gate.Verdict(i).MarshalText() })
	f("action", int(gate.ActDrill)+1, func(i int) string { return gate.Action(i).String() },
		func(i int) ([]byte, error) { return gate.Action(i).MarshalText() })
	f("verb", int(gate.VerbRetry), func(i int) string { return gate.Verb(i + 1).String() },
		func(i int) ([]byte, error) { return gate.Verb(i + 1).MarshalText() })
}

func TestWords_EveryReason_HasText(t *testing.T) {
	t.Parallel()
	for _, r := range gate.Reasons() {
		if r.Text() == string(r) || r.Text() == "" {
			t.Errorf("%s has no text", r)
		}
	}
	// The codes of the API's contract, so that none is renamed unnoticed.
	for _, code := range []gate.Reason{
		"collecting", "not_enough_evidence", "estimate_above_hold", "worse_than_stable", "stable_unhealthy", "no_canary_traffic",
		"no_stable_traffic", "warmup", "one_bucket_dominates", "saturated_users", "canary_pool_unhealthy", "window_closed",
		"skewed_keys", "stable_outdated", "awaiting_approval", "paused", "journal_unavailable", "stale_replicas",
		"restart_replayed", "manual",
	} {
		if !slices.Contains(gate.Reasons(), code) {
			t.Errorf("no reason is called %s", code)
		}
	}
}

// Every action in every phase for every reason: a sentence, never a panic.
func TestExplain_EveryActionPhaseAndReason_HasASentence(t *testing.T) {
	t.Parallel()
	p := &gate.Policy{Rollout: "r", Revision: "v2", Stages: []gate.Stage{{Weight: 500, Label: "5 %"}, {Weight: 10_000, Label: "100 %"}}}
	for a := gate.ActHold; a <= gate.ActWiden; a++ {
		for phase := gate.Waiting; phase <= gate.RolledBack; phase++ {
			for _, r := range append(gate.Reasons(), "") {
				for _, dry := range []bool{false, true} {
					s := gate.State{Phase: phase, Stage: 1, Weight: 500, Revision: "v2", Attempt: 1, Live: "v1", Reason: r}
					d := gate.Decision{Action: a, Phase: phase, Stage: 1, From: 500, To: 10_000, Reason: r, Actor: "gate", Verb: "promote", DryRun: dry}
					speaks(t, p, s, d, time.Unix(0, 0))
				}
			}
		}
	}
}

func BenchmarkStep_Tick(b *testing.B) {
	st := &story{w: newWorld()}
	st.p = &gate.Policy{Revision: "r2", Stages: []gate.Stage{{Weight: 500, Least: time.Hour}, {Weight: 10_000}}, Criteria: benchCriteria(b)}
	for range 400 {
		st.w.spend(time.Second, .05)
	}
	for _, terse := range []bool{false, true} {
		b.Run(fmt.Sprintf("terse=%v", terse), func(b *testing.B) {
			s := gate.State{Phase: gate.Progressing, Stage: 1, Weight: 500, Revision: "r2", Attempt: 1, Last: time.Unix(0, 0)}
			seen := st.w.seen(s)
			seen.Terse = terse
			b.ReportAllocs()
			for b.Loop() {
				gate.Step(s, st.p, time.Unix(1, 0), gate.Tick{Seen: seen})
			}
		})
	}
}
