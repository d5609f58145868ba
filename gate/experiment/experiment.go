// Package experiment is the pure side of an experiment: N arms with fixed shares, compared with a control, ended by time.
// Nothing is ever promoted; guardrails, the same criteria as a rollout's gates, can only stop an arm.
//
//	Tick(time, views of each arm against the control) -> Step -> start | stop an arm | end | hold
//
// The state is a gate.State, saved and journalled as a rollout's is: Phase is Waiting before the start is on disk, Progressing
// while it runs, Completed when its time is over, RolledBack when every arm was stopped; Clock is how long it ran; Stopped
// names the arms that were stopped. The zero state sends everybody to the control.
//
// Ratio asks whether users are spread over the arms as they should be (sample ratio mismatch): an arm that loses its users,
// by crashing, redirecting or hiding them, makes every other number of the table a comparison of different people. Results is
// the table.
package experiment

import (
	"slices"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// Policy is what the operator asked for, immutable. The first arm is the control.
type Policy struct {
	Name, Route string
	Audience    string // whom it is for; "": everybody
	Revision    string // of arms, shares, salt and people: another one is another experiment
	Arms        []Arm  // 2 to 16
	For         time.Duration
	Warmup      time.Duration // of latency, after the start
	Criteria    []gate.Criterion
	AlphaFail   float64 // chance to stop an arm that is no worse, over all arms and guardrails
	AlphaPass   float64
	Notify      []string // who is told of its decisions
}

// Arm is one arm and its share of the users.
type Arm struct {
	Name  string
	Share router.Weight
}

// Seen is one look: by arm, its evidence against the control's; the control's own entry is empty.
type Seen struct {
	Views []window.View
}

// Event is what Step is told: exactly one of Tick, Stop, Replan.
type Event interface{ event() }

// Tick is the regular look.
type Tick struct{ Seen Seen }

// Stop is a person's wish: to stop one arm, or all of them.
type Stop struct{ Arm, Actor, Reason string }

// Replan says that the policy is another one than before, or seen for the first time.
type Replan struct{ Withdrawn bool }

func (Tick) event()   {}
func (Stop) event()   {}
func (Replan) event() {}

// longestStep bounds what one tick adds to the clock: time that nobody watched is not part of the experiment.
const longestStep = 10 * time.Second

// Step is what happens next. At most one arm is stopped at a time: the next tick sees the others. Findings are by arm, of the
// tick; the decision carries those of the arm it is about.
func Step(s gate.State, p *Policy, now time.Time, e Event) (next gate.State, d gate.Decision, findings [][]gate.Finding) {
	switch e := e.(type) {
	case Replan:
		next, d = replan(s, p, e)
	case Stop:
		next, d = stopped(s, p, e)
	case Tick:
		next, d, findings = tick(s, p, now, e.Seen)
	default:
		panic("BUG: unknown event")
	}
	next.Last = now
	next.Weight = 0
	if Running(next, p) {
		next.Weight = left(next, p)
	}
	d.To = next.Weight
	d.Phase, d.Stage, d.Stages = next.Phase, next.Stage, 1
	if d.News {
		next.Version++
	}
	return next, d, findings
}

// Running reports whether the arms have their users.
func Running(s gate.State, p *Policy) bool {
	return s.Phase == gate.Progressing && s.Revision == p.Revision
}

func replan(s gate.State, p *Policy, e Replan) (gate.State, gate.Decision) {
	switch {
	case e.Withdrawn && s.Phase == gate.Progressing:
		s.Phase, s.Withdrawn = gate.Waiting, true
		return s, gate.Decision{Action: gate.ActWithdrawn, From: treated(p), Reason: gate.Removed, Actor: gate.ActorSerin, News: true}
	case s.Revision != "" && s.Revision != p.Revision && s.Phase != gate.Waiting:
		from := router.Weight(0)
		if s.Phase == gate.Progressing {
			from = treated(p)
		}
		s.Phase, s.Stopped = gate.Waiting, nil
		return s, gate.Decision{Action: gate.ActRestart, From: from, Reason: gate.NewRevision, Actor: gate.ActorSerin, News: true}
	}
	return s, hold(s, p, s.Reason)
}

// begun is the state of an attempt that begins now.
func begun(s gate.State, p *Policy) gate.State {
	return gate.State{
		Phase: gate.Progressing, Stage: 1, Revision: p.Revision, Attempt: s.Attempt + 1, Version: s.Version, Step: s.Step + 1,
		Reason: gate.Collecting,
	}
}

func stopped(s gate.State, p *Policy, e Stop) (gate.State, gate.Decision) {
	d := gate.Decision{Arm: e.Arm, Actor: e.Actor, Note: e.Reason, Reason: gate.Manual, Override: true}
	if s.Phase != gate.Progressing {
		d.Action, d.Refusal = gate.ActRefuse, gate.RefusedPhase
		return s, d
	}
	if e.Arm == "" {
		d.Action, d.From, d.News = gate.ActRollback, left(s, p), true
		for _, a := range p.Arms[1:] {
			s = without(s, a.Name)
		}
		s.Phase, s.Reason = gate.RolledBack, gate.Manual
		return s, d
	}
	i := slices.IndexFunc(p.Arms, func(a Arm) bool { return a.Name == e.Arm })
	if i < 1 || slices.Contains(s.Stopped, e.Arm) {
		d.Action, d.From, d.Refusal = gate.ActRefuse, left(s, p), gate.RefusedInput
		return s, d
	}
	d.Action, d.From, d.News = gate.ActStopArm, left(s, p), true
	return over(without(s, e.Arm), p, gate.Manual), d
}

func without(s gate.State, arm string) gate.State {
	if !slices.Contains(s.Stopped, arm) {
		s.Stopped = append(slices.Clone(s.Stopped), arm)
	}
	return s
}

// over ends an experiment that has no arm left.
func over(s gate.State, p *Policy, why gate.Reason) gate.State {
	s.Reason = why
	if len(s.Stopped) == len(p.Arms)-1 {
		s.Phase = gate.RolledBack
	}
	return s
}

func tick(s gate.State, p *Policy, now time.Time, seen Seen) (gate.State, gate.Decision, [][]gate.Finding) {
	switch {
	case s.Phase == gate.Waiting, s.Revision != p.Revision:
		return begun(s, p), gate.Decision{Action: gate.ActStart, Reason: gate.Started, Actor: gate.ActorGate, News: true}, nil
	case s.Phase != gate.Progressing:
		return s, hold(s, p, s.Reason), judge(s, p, seen)
	}
	if !s.Last.IsZero() {
		s.Clock += min(max(now.Sub(s.Last), 0), longestStep)
	}
	findings := judge(s, p, seen)
	for i, arm := range p.Arms {
		if i == 0 || slices.Contains(s.Stopped, arm.Name) || i >= len(findings) {
			continue
		}
		if slices.ContainsFunc(findings[i], func(f gate.Finding) bool { return f.Verdict == gate.Fail && !f.DryRun }) {
			d := gate.Decision{
				Action: gate.ActStopArm, Arm: arm.Name, From: left(s, p), Verdict: gate.Fail, Reason: gate.WorseThanStable,
				Actor: gate.ActorGate, Findings: findings[i], Baseline: "concurrent", News: true,
			}
			return over(without(s, arm.Name), p, gate.WorseThanStable), d, findings
		}
	}
	if s.Clock >= p.For {
		s.Phase, s.Reason = gate.Completed, gate.Passed
		return s, gate.Decision{Action: gate.ActEnd, From: left(s, p), Reason: gate.TimeOver, Actor: gate.ActorGate, News: true}, findings
	}
	return s, hold(s, p, gate.Collecting), findings
}

func hold(s gate.State, p *Policy, why gate.Reason) gate.Decision {
	share := router.Weight(0)
	if Running(s, p) {
		share = left(s, p)
	}
	return gate.Decision{Action: gate.ActHold, From: share, Reason: why, Actor: gate.ActorGate}
}

// judge asks every guardrail about every arm that is left, and of those that were stopped what they have shown.
func judge(s gate.State, p *Policy, seen Seen) [][]gate.Finding {
	if len(seen.Views) != len(p.Arms) {
		return nil
	}
	failers := 0
	for _, c := range p.Criteria {
		if c.CanFail() {
			failers++
		}
	}
	findings := make([][]gate.Finding, len(p.Arms))
	for i := 1; i < len(p.Arms); i++ {
		share := p.Arms[i].Share
		for _, c := range p.Criteria {
			if !c.Applies(1, gate.Stage{Weight: share}) {
				continue
			}
			findings[i] = append(findings[i], c.Judge(gate.Question{
				View: &seen.Views[i], Crossings: len(p.Arms) - 1, Failers: failers, NextShare: share.Fraction(), Dwelled: true,
				AlphaFail: p.AlphaFail, AlphaPass: p.AlphaPass,
			}))
		}
	}
	return findings
}

// treated is the share of the users that are not on the control when every arm runs.
func treated(p *Policy) router.Weight { return router.Full - p.Arms[0].Share }

// left is treated without the arms that were stopped.
func left(s gate.State, p *Policy) router.Weight {
	share := treated(p)
	for _, a := range p.Arms[1:] {
		if slices.Contains(s.Stopped, a.Name) {
			share -= a.Share
		}
	}
	return share
}
