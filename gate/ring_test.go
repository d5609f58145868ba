package gate_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// ring is what a story's world knows of rings: every ring's members make the same share of the requests and, before their ring
// opened, made so many with so many errors.
type ring struct {
	share, errors, n, others float64
}

// rings puts a stage for each ring before the ladder's own.
func rings(p *gate.Policy, names []string) {
	var stages []gate.Stage
	for _, name := range names {
		stages = append(stages, gate.Stage{Label: "ring " + name, Audience: name})
	}
	for _, st := range p.Stages {
		if st.Weight > 0 {
			stages = append(stages, st)
		}
	}
	p.Stages = stages
}

// world reads what a story says of rings; false where it is about something else.
func (r *ring) world(t *testing.T, k, v string) bool {
	t.Helper()
	number := func(text string) float64 {
		f, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil {
			t.Fatalf("%s: %q is no number", k, text)
		}
		if strings.HasSuffix(text, "%") {
			f /= 100
		}
		return f
	}
	switch k {
	case "ring":
		r.share = number(v)
	case "past":
		r.errors = number(v)
	case "past_requests":
		r.n = number(v)
	case "others_past":
		r.others = number(v)
	default:
		return false
	}
	return true
}

// past is what the control loop would tell of the stage's ring.
func (r *ring) past(p *gate.Policy, s *gate.State) *gate.Past {
	if r.n == 0 || s.Stage < 1 || s.Stage > len(p.Stages) || p.Stages[s.Stage-1].Audience == "" {
		return nil
	}
	table := func(errors, n float64) *window.Snapshot {
		t := new(window.Snapshot)
		t.Outcomes[window.ServerError] = uint64(math.Round(n * errors))
		t.Outcomes[window.Success] = uint64(n) - t.Outcomes[window.ServerError]
		for k := range 20 {
			factor := math.Exp(1.1 * (float64(k) - 9.5) / 10)
			t.Latency[window.BinOf(time.Duration(float64(50*time.Millisecond)*factor))] += uint32(n / 20)
		}
		return t
	}
	return &gate.Past{Ring: p.Stages[s.Stage-1].Audience, Table: table(r.errors, r.n), Others: table(r.others, 50*r.n)}
}

// share is what the canary gets of the requests.
func (r *ring) sent(s *gate.State) float64 {
	return max(float64(s.Sent())/10_000, r.share*float64(len(s.Rings)))
}

func ringPolicy(names ...string) *gate.Policy {
	p := &gate.Policy{
		Rollout: "checkout", Revision: "r2", StableRevision: "r1", MaxStage: 6 * time.Hour, Holdback: 100, KeepOld: time.Hour,
		AlphaFail: .01, AlphaPass: .05,
	}
	for _, name := range names {
		if share, ok := strings.CutSuffix(name, "%"); ok {
			n, _ := strconv.Atoi(share)
			p.Stages = append(p.Stages, gate.Stage{Label: name, Weight: router.Weight(n * 100), Least: time.Minute})
			continue
		}
		p.Stages = append(p.Stages, gate.Stage{Label: "ring " + name, Audience: name, Least: time.Minute})
	}
	return p
}

// drive ticks a healthy rollout until stop says so, at most an hour.
func drive(t *testing.T, s gate.State, p *gate.Policy, now *time.Time, stop func(gate.State) bool) gate.State {
	t.Helper()
	for range 3600 {
		if stop(s) {
			return s
		}
		*now = now.Add(time.Second)
		s, _ = gate.Step(s, p, *now, gate.Tick{Seen: gate.Seen{
			StableHealthy: true, CanaryHealthy: true, WindowOpen: true, JournalAvailable: true, ObservedWeight: -1,
		}})
	}
	t.Fatalf("an hour later: %s at stage %d", s.Phase, s.Stage)
	return s
}

func TestStep_Ladder_NeverClosesARingAsItClimbs(t *testing.T) {
	t.Parallel()
	p := ringPolicy("internal", "beta", "1%", "25%", "partners", "100%")
	p.Stages[4].Weight = 2500
	now, s, open := time.Now(), gate.State{}, []string(nil)
	for s.Phase != gate.Completed {
		stage := s.Stage
		s = drive(t, s, p, &now, func(s gate.State) bool { return s.Stage != stage || s.Phase == gate.Completed })
		if s.Phase == gate.Completed {
			break
		}
		for _, name := range open {
			if !slices.Contains(s.Rings, name) {
				t.Errorf("stage %d closes ring %s", s.Stage, name)
			}
		}
		open = s.Rings
	}
	if !slices.Equal(open, []string{"internal", "beta", "partners"}) {
		t.Errorf("the last stage has rings %v", open)
	}
}

func TestStep_ReloadedLadder_MovesNoMember(t *testing.T) {
	t.Parallel()
	at := func(name string) func(gate.State) bool {
		return func(s gate.State) bool { return slices.Contains(s.Rings, name) }
	}
	f := func(name string, after *gate.Policy, stage int, rings ...string) {
		t.Helper()
		p, now := ringPolicy("internal", "beta", "1%", "100%"), time.Now()
		s := drive(t, gate.State{}, p, &now, at("beta"))
		got, d := gate.Step(s, after, now, gate.Replan{})
		if got.Stage != stage || !slices.Equal(got.Rings, rings) || got.Weight != 0 || d.To != 0 {
			t.Errorf("%s: stage %d, rings %v, weight %s, want stage %d, rings %v", name, got.Stage, got.Rings, got.Weight, stage, rings)
		}
		before := got.Stage
		got = drive(t, got, after, &now, func(s gate.State) bool { return s.Stage != before || s.Step != got.Step })
		for _, ring := range rings {
			if !slices.Contains(got.Rings, ring) {
				t.Errorf("%s: going on, ring %s closes", name, ring)
			}
		}
	}
	f("another ring before", ringPolicy("internal", "qa", "beta", "1%", "100%"), 3, "internal", "beta")
	f("another ring behind", ringPolicy("internal", "beta", "partners", "1%", "100%"), 2, "internal", "beta")
	f("the earlier ring gone", ringPolicy("beta", "1%", "100%"), 1, "beta")
	f("both gone for another", ringPolicy("all", "1%", "100%"), 1)
	f("in another order", ringPolicy("beta", "internal", "1%", "100%"), 2, "internal", "beta")
}

func TestStep_StepBack_ClosesTheLastRingOnly(t *testing.T) {
	t.Parallel()
	p, now := ringPolicy("internal", "beta", "1%", "100%"), time.Now()
	s := drive(t, gate.State{}, p, &now, func(s gate.State) bool { return s.Weight > 0 })
	for _, want := range [][]string{{"internal", "beta"}, {"internal"}} {
		s, _ = gate.Step(s, p, now, gate.Operator{Verb: gate.VerbStepBack, Actor: "alice", Reason: "a look"})
		if !slices.Equal(s.Rings, want) || s.Weight != 0 {
			t.Errorf("got rings %v at %s, want %v", s.Rings, s.Weight, want)
		}
	}
	s, _ = gate.Step(s, p, now, gate.Operator{Verb: gate.VerbRollback, Actor: "alice", Reason: "enough"})
	if len(s.Rings) != 0 {
		t.Errorf("rolled back with rings %v", s.Rings)
	}
}
