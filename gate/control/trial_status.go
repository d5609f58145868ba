package control

import (
	"context"
	"errors"
	"slices"
	"time"

	"serin/gate"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/gate/window"
)

// ExperimentStatus is one experiment, as the API tells it. Shares are of users.
type ExperimentStatus struct {
	Name, Route  string
	Audience     string // whom it is for; "": everybody
	Version      uint64
	Attempt      int
	Phase        gate.Phase // waiting, progressing, completed, rolled_back
	Sentence     string
	Elapsed, For time.Duration
	Ratio        experiment.Ratio
	Keyless      float64          // requests without any key, as a share of all
	Arms         []TrialArmStatus // the control first
	LastDecision *journal.Entry   // nil: none yet
}

// TrialArmStatus is one arm with its line of the table and what the guardrails say of it.
type TrialArmStatus struct {
	Name    string
	Share   float64
	Stopped bool
	Result  experiment.Result
	Gates   []gate.Finding
}

// status shows the experiment; the table is made anew every few seconds.
func (t *trial) status(now time.Time) ExperimentStatus {
	if now.Sub(t.tableAt) >= tableEvery || len(t.table) != len(t.total) {
		t.tabulate()
		t.tableAt = now
	}
	out := ExperimentStatus{
		Name: t.name, Route: t.policy.Route, Audience: t.policy.Audience, Version: t.state.Version, Attempt: t.state.Attempt, Phase: t.state.Phase,
		Sentence: experiment.Situation(t.state, t.policy), Elapsed: t.state.Clock, For: t.policy.For, Ratio: t.ratio,
		LastDecision: t.last,
	}
	all := float64(t.reading.Keyless)
	for i := range t.reading.Arms {
		all += float64(t.reading.Arms[i].Total())
	}
	if all > 0 {
		out.Keyless = float64(t.reading.Keyless) / all
	}
	for i, a := range t.policy.Arms {
		arm := TrialArmStatus{Name: a.Name, Share: a.Share.Fraction(), Stopped: slices.Contains(t.state.Stopped, a.Name), Result: t.table[i]}
		if i < len(t.findings) {
			arm.Gates = t.findings[i]
		}
		out.Arms = append(out.Arms, arm)
	}
	return out
}

// tabulate makes the table and the sample ratio of what was counted. A stopped arm's users are on the control since, so the
// ratio is asked of the arms that are left.
func (t *trial) tabulate() {
	arms := make([]*window.Snapshot, len(t.total))
	for i := range t.total {
		arms[i] = &t.total[i]
	}
	t.table = experiment.Results(arms, nil)
	var shares []float64
	var users, possible []int
	all := make([]int, 0, len(arms))
	for i, a := range t.policy.Arms {
		all = append(all, t.table[i].Users)
		if slices.Contains(t.state.Stopped, a.Name) {
			continue
		}
		shares, users, possible = append(shares, a.Share.Fraction()), append(users, t.table[i].Users), append(possible, int(a.Share))
	}
	t.ratio = experiment.RatioOf(shares, users, possible)
	t.ratio.Users = all
}

// stopping is a person's wish to stop an arm, in the mailbox.
type stopping struct {
	experiment string
	stop       experiment.Stop
	answer     chan<- answer // room for one
}

// StopArm takes the users of one arm, or of every arm ("" ), back to the control and returns the decision. A refused act is no
// error: the decision's Refusal says why. Errors are ErrUnknownRollout, ErrStopped and ctx's.
func (l *Loop) StopArm(ctx context.Context, name string, stop experiment.Stop) (gate.Decision, journal.Entry, error) {
	done := make(chan answer, 1)
	a, err := ask(ctx, l, &stopping{experiment: name, stop: stop, answer: done}, done)
	if err != nil {
		return gate.Decision{}, journal.Entry{}, err
	}
	return a.decision, a.entry, a.err
}

// stopArm is the loop's side of StopArm.
func (l *Loop) stopArm(m *stopping) {
	t := l.findTrial(m.experiment)
	if t == nil {
		m.answer <- answer{err: ErrUnknownRollout}
		return
	}
	now := time.Now()
	l.readTrial(t, now)
	a := answer{decision: l.doTrial(t, now, m.stop)}
	if t.last != nil {
		a.entry = *t.last
	}
	m.answer <- a
	t.tableAt = time.Time{}
	l.publish(now)
}

// ErrNoLadder says that an experiment has no stages to act on.
var ErrNoLadder = errors.New("an experiment has no stages: only rollback, which stops every arm, applies to it")

// operateTrial answers a person's act on what is no rollout: rollback stops an experiment, nothing else applies to one.
func (l *Loop) operateTrial(o *operation) {
	t := l.findTrial(o.rollout)
	switch {
	case t == nil:
		o.answer <- answer{err: ErrUnknownRollout}
	case o.op.Verb != gate.VerbRollback:
		o.answer <- answer{err: ErrNoLadder}
	case o.op.IfVersion != nil && *o.op.IfVersion != t.state.Version:
		o.answer <- answer{decision: gate.Decision{Action: gate.ActRefuse, Refusal: gate.RefusedVersion, Phase: t.state.Phase}}
	default:
		l.stopArm(&stopping{experiment: t.name, stop: experiment.Stop{Actor: o.op.Actor, Reason: o.op.Reason}, answer: o.answer})
	}
}
