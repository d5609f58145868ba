package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/gate/window"
)

// trial is the loop's bookkeeping of one experiment. Owned by the loop's goroutine. It keeps the same order of effects as a
// rollout: the start is on disk before anybody leaves the control, a stop is done and then written.
type trial struct {
	name   string
	policy *experiment.Policy

	state    gate.State
	setting  Setting // in force
	findings [][]gate.Finding
	pending  *pending // its start, on the way to the disk; nil: none
	number   int      // of the attempt's last decision
	last     *journal.Entry
	broken   string // why its state is not known; "": it is

	trackers []*window.Tracker // by arm, against the control; the control's own is nil
	reading  Reading           // since the process began the step
	base     []window.Snapshot // what a process before counted in the same step
	total    []window.Snapshot // base and reading

	table   []experiment.Result
	ratio   experiment.Ratio
	tableAt time.Time
}

// tableEvery is how old a shown result may be.
const tableEvery = 2 * time.Second

func (l *Loop) findTrial(name string) *trial {
	for _, t := range l.trials {
		if t.name == name {
			return t
		}
	}
	return nil
}

// trialSetting is the routing an experiment's state asks for.
func trialSetting(s gate.State, p *experiment.Policy) Setting {
	return Setting{Step: s.Step, Revision: p.Revision, Running: experiment.Running(s, p), Stopped: s.Stopped}
}

// plannedTrials is the plan's experiments in its order; their routing is added to the settings.
func (l *Loop) plannedTrials(plan *config.Plan, settings map[string]Setting, now time.Time) []*trial {
	next := make([]*trial, 0, len(plan.Experiments))
	for i := range plan.Experiments {
		e := &plan.Experiments[i]
		t := l.findTrial(e.Name)
		if t == nil {
			t = l.newTrial(e, now)
		}
		settings[e.Name] = trialSetting(t.state, e.Policy)
		next = append(next, t)
	}
	return next
}

// newTrial makes the bookkeeping from what the journal knows; a zero record is an experiment nobody has seen.
func (l *Loop) newTrial(e *config.Experiment, now time.Time) *trial {
	record, known := l.gone[e.Name]
	if !known {
		record.Broken = l.restored.Broken
	}
	t := &trial{name: e.Name, policy: e.Policy, state: record.State, number: record.Number, last: record.Last}
	if record.Broken != "" { // everybody on the control, and only another experiment begins again
		t.broken = record.Broken
		t.state.Phase, t.state.Weight, t.state.Reason, t.state.Revision = gate.RolledBack, 0, gate.RestartReplayed, e.Policy.Revision
		t.state.Version, t.state.Step, t.state.Attempt = t.state.Version+1, t.state.Step+1, max(t.state.Attempt, 1)
	}
	t.begin(l)
	if record.Broken == "" {
		t.resume(l, record.Evidence)
	}
	return t
}

// begin starts the step's evidence from nothing.
func (t *trial) begin(l *Loop) {
	arms := len(t.policy.Arms)
	t.trackers, t.base, t.total = make([]*window.Tracker, arms), make([]window.Snapshot, arms), make([]window.Snapshot, arms)
	t.reading = Reading{StableHealthy: t.reading.StableHealthy, CanaryHealthy: t.reading.CanaryHealthy}
	t.findings, t.tableAt = nil, time.Time{}
	for i := 1; i < arms; i++ {
		t.trackers[i] = window.NewTracker(window.TrackerOptions{Warmup: t.policy.Warmup, Every: l.tickEvery()})
	}
}

// resume continues the evidence of the step that the journal knows.
func (t *trial) resume(l *Loop, e *journal.Evidence) {
	if e == nil || e.Step != t.state.Step || t.state.Revision != t.policy.Revision {
		return
	}
	var trackers []json.RawMessage
	err := json.Unmarshal(e.Tracker, &trackers)
	if err == nil && (len(trackers) != len(t.policy.Arms)-1 || len(e.Arms) != len(t.policy.Arms)-2) {
		err = fmt.Errorf("evidence of %d arms", len(trackers)+1)
	}
	for i := 0; err == nil && i < len(trackers); i++ {
		err = t.trackers[i+1].UnmarshalJSON(trackers[i])
	}
	if err != nil {
		l.log.Warn("evidence of the experiment lost", "rollout", t.name, "err", err)
		t.begin(l)
		return
	}
	for i, s := range append([]*window.Snapshot{e.Stable, e.Canary}, e.Arms...) {
		t.base[i], t.total[i] = *s, *s.Clone()
	}
}

// trialRecord is what a restart must know of an experiment.
func (l *Loop) trialRecord(t *trial) journal.Record {
	out := journal.Record{State: t.state, Number: t.number, Last: t.last}
	if len(t.total) < 2 {
		return out
	}
	trackers := make([]json.RawMessage, 0, len(t.trackers)-1)
	for _, tracker := range t.trackers[1:] {
		text, err := tracker.MarshalJSON()
		if err != nil {
			l.log.Error("evidence not saved", "rollout", t.name, "err", err)
			return out
		}
		trackers = append(trackers, text)
	}
	text, err := json.Marshal(trackers)
	if err != nil {
		l.log.Error("evidence not saved", "rollout", t.name, "err", err)
		return out
	}
	out.Evidence = &journal.Evidence{Step: t.state.Step, Tracker: text, Stable: t.total[0].Clone(), Canary: t.total[1].Clone()}
	for i := range t.total[2:] {
		out.Evidence.Arms = append(out.Evidence.Arms, t.total[i+2].Clone())
	}
	return out
}

// adoptTrials makes the experiments of an installed plan the loop's. Those that left are withdrawn and remembered.
func (l *Loop) adoptTrials(next []*trial, now time.Time) {
	old := l.trials
	l.trials = next
	for _, t := range old {
		if slices.Contains(next, t) {
			continue
		}
		l.doTrial(t, now, experiment.Replan{Withdrawn: true})
		l.gone[t.name] = l.trialRecord(t)
	}
	for i, t := range next {
		known := slices.Contains(old, t)
		if !known {
			delete(l.gone, t.name)
		}
		p := l.plan.Experiments[i].Policy
		t.setting = trialSetting(t.state, p)
		if t.policy.Revision != p.Revision {
			t.policy = p
			t.begin(l)
		}
		t.policy = p
		if t.broken != "" {
			l.confessTrial(t, now)
		}
		if !known {
			l.readTrial(t, now) // what a process before counted is shown from the start
		}
		l.doTrial(t, now, experiment.Replan{})
	}
}

// confessTrial journals and logs that an experiment was ended for want of a readable state.
func (l *Loop) confessTrial(t *trial, now time.Time) {
	d := gate.Decision{
		Action: gate.ActRollback, Phase: gate.RolledBack, Reason: gate.RestartReplayed, Actor: gate.ActorSerin, Note: t.broken, News: true,
	}
	l.log.Error("experiment ended: its state is not known", "rollout", t.name, "err", t.broken)
	t.broken = ""
	e := t.entry(t.state, d, now)
	t.last = &e
	l.tellOfTrial(t, ArmStatus{}, ArmStatus{})
	l.pen.add(&note{entry: e, made: now})
}

// lookAtTrials reads and judges every experiment once; it reports whether one runs.
func (l *Loop) lookAtTrials(now time.Time) (running bool) {
	for _, t := range l.trials {
		l.readTrial(t, now)
		if t.pending == nil {
			l.doTrial(t, now, experiment.Tick{Seen: t.seen(now)})
		}
		running = running || t.state.Phase == gate.Progressing
	}
	return running
}

// readTrial reads the meters and tells the trackers.
func (l *Loop) readTrial(t *trial, now time.Time) {
	t.reading.WantUsers = true
	l.dataplane.Read(t.name, &t.reading)
	if len(t.reading.Arms) != len(t.total) {
		return
	}
	if !t.reading.Quiet {
		for i := range t.total {
			users := t.total[i].Users
			zero(users)
			t.total[i] = t.base[i]
			t.total[i].Users = users
			t.total[i].Add(&window.Snapshot{Users: t.base[i].Users})
			t.total[i].Add(&t.reading.Arms[i])
		}
	}
	for i, tracker := range t.trackers {
		if tracker != nil {
			tracker.Add(now, &t.total[0], &t.total[i])
		}
	}
}

func (t *trial) seen(now time.Time) experiment.Seen {
	views := make([]window.View, len(t.trackers))
	for i, tracker := range t.trackers {
		if tracker != nil {
			tracker.ViewTo(&views[i], now)
		}
	}
	return experiment.Seen{Views: views}
}

// doTrial tells the brain of an event and does what it says.
func (l *Loop) doTrial(t *trial, now time.Time, event experiment.Event) gate.Decision {
	next, d, findings := experiment.Step(t.state, t.policy, now, event)
	if findings != nil {
		t.findings = findings
	}
	if d.Action == gate.ActRefuse {
		return d
	}
	if d.Action == gate.ActStart {
		l.proposeTrial(t, next, d, now)
		return d
	}
	if p := t.pending; p != nil && d.News { // the start that is on its way is not wanted any more
		p.overtaken, t.pending = true, nil
		next.Version = max(next.Version, p.next.Version+1)
	}
	stable, canary := t.armsOf(&d, now)
	l.becomeTrial(t, next)
	if d.News {
		e := t.entry(next, d, now)
		t.last = &e
		l.tell(&e)
		l.tellOfTrial(t, stable, canary)
		l.pen.add(&note{entry: e, made: now})
	}
	return d
}

// proposeTrial sends a start to the disk first; while everything is paused, an arm has no server, or the disk takes nothing,
// nothing starts.
func (l *Loop) proposeTrial(t *trial, next gate.State, d gate.Decision, now time.Time) {
	if l.freeze != nil || !t.reading.StableHealthy || !t.reading.CanaryHealthy || !l.available(now) {
		return
	}
	p := &pending{next: next, decision: d, since: now, number: t.number, trial: t}
	t.pending = p
	l.pen.add(&note{entry: t.entry(next, d, now), pending: p, made: now})
	l.dispatch()
}

// begun is adopt for an experiment's start: it is on disk, so the arms get their users.
func (l *Loop) begun(p *pending, n *note) {
	t := p.trial
	if p.overtaken || t.pending != p {
		return
	}
	t.pending = nil
	p.next.Last = time.Now()
	l.becomeTrial(t, p.next)
	t.last = &n.entry
	l.tell(&n.entry)
	l.tellOfTrial(t, ArmStatus{}, ArmStatus{})
}

// becomeTrial makes next the state: routing, meters and trackers follow.
func (l *Loop) becomeTrial(t *trial, next gate.State) {
	setting := trialSetting(next, t.policy)
	if setting.Running != t.setting.Running || setting.Step != t.setting.Step || !slices.Equal(setting.Stopped, t.setting.Stopped) {
		l.dataplane.Set(t.name, setting)
	}
	step := next.Step != t.state.Step
	t.setting, t.state = setting, next
	if step {
		t.begin(l)
	}
}

// entry is the journal's record of a decision, numbered.
func (t *trial) entry(next gate.State, d gate.Decision, now time.Time) journal.Entry {
	if next.Attempt != t.state.Attempt {
		t.number = 0
	}
	t.number++
	return journal.Entry{
		ID: fmt.Sprintf("%s-%d-%d", t.name, next.Attempt, t.number), Number: t.number, Rollout: t.name, At: now.Round(0),
		Sentence: experiment.Explain(next, t.policy, d), Decision: d, State: next,
	}
}
