package control

import (
	"time"

	"serin/gate"
	"serin/gate/experiment"
	"serin/gate/journal"
)

// Announcement is a decision that was done, with what a person is told beside it: what both arms had shown until then, what
// it has cost, and what comes next.
type Announcement struct {
	Entry          journal.Entry
	Policy         *gate.Policy       // nil: it is an experiment's decision
	Experiment     *experiment.Policy // nil: it is a rollout's; else Canary is the arm decided about, if there is one, Stable the control
	Findings       []gate.Finding     // the decision's own, else those of the last look before it
	Stable, Canary ArmStatus          // in the stage that was decided about
	Exposure       ExposureStatus
	Next           string
	Deadline       *DeadlineStatus // what ends by itself from here on; nil: nothing
	Allowed        []string
}

// Notify names who is told.
func (a *Announcement) Notify() []string {
	if a.Experiment != nil {
		return a.Experiment.Notify
	}
	return a.Policy.Notify
}

// beheld is what the evidence said before a decision put an end to it.
type beheld struct {
	findings       []gate.Finding
	stable, canary ArmStatus
	exposure       ExposureStatus
}

// behold looks at the evidence before a decision is done. It costs nothing where nobody is told.
func (l *Loop) behold(r *rollout, d *gate.Decision, now time.Time) (b beheld) {
	if l.announce == nil || !d.News {
		return b
	}
	view := r.tracker.View(now)
	b = beheld{findings: d.Findings, stable: armStatus(&view, 0), canary: armStatus(&view, 1), exposure: r.cost()}
	if len(b.findings) == 0 {
		b.findings = r.decision.Findings
	}
	return b
}

// tellPeople announces a decision that was done. Whoever listens must not wait for anything.
func (l *Loop) tellPeople(r *rollout, b beheld, e *journal.Entry, now time.Time) {
	if l.announce == nil {
		return
	}
	s, p := r.state, r.policy
	a := Announcement{
		Entry: *e, Policy: p, Findings: b.findings, Stable: b.stable, Canary: b.canary, Exposure: b.exposure,
		Next: gate.Next(s, p, e.Decision, now), Allowed: gate.Allowed(s, p, now),
		Deadline: approval(&s, p, now),
	}
	if a.Deadline == nil {
		a.Deadline = deadline(gate.HoldTimer(s, p), s.Reason, now)
	}
	l.announce(a)
}

// approval is who is asked to let which stage begin; nil where nobody is.
func approval(s *gate.State, p *gate.Policy, now time.Time) *DeadlineStatus {
	d := deadline(gate.ApprovalTimer(*s, p), gate.AwaitingApprovalCode, now)
	if d == nil {
		return nil
	}
	d.Stage = gate.NextStage(*s, p)
	if d.Stage >= 1 && d.Stage <= len(p.Stages) {
		d.Owner = p.Stages[d.Stage-1].Owner
	}
	return d
}

// armsOf are the control's and the stopped arm's numbers before the decision; none where it is about no single arm.
func (t *trial) armsOf(d *gate.Decision, now time.Time) (control, arm ArmStatus) {
	if !d.News || d.Action != gate.ActStopArm {
		return control, arm
	}
	for i, a := range t.policy.Arms {
		if a.Name == d.Arm && t.trackers[i] != nil {
			view := t.trackers[i].View(now)
			return armStatus(&view, 0), armStatus(&view, 1)
		}
	}
	return control, arm
}

// tellOfTrial announces an experiment's last decision.
func (l *Loop) tellOfTrial(t *trial, control, arm ArmStatus) {
	if l.announce == nil {
		return
	}
	a := Announcement{Entry: *t.last, Experiment: t.policy, Findings: t.last.Decision.Findings, Stable: control, Canary: arm}
	if t.state.Phase == gate.Progressing && t.last.Decision.Action != gate.ActStart { // else the sentence says it
		a.Next = experiment.Situation(t.state, t.policy)
	}
	l.announce(a)
}
