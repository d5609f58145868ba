package control

import (
	"time"

	"serin/gate"
	"serin/gate/journal"
)

// Announcement is a decision that was done, with what a person is told beside it: what both arms had shown until then, what
// it has cost, and what comes next.
type Announcement struct {
	Entry          journal.Entry
	Policy         *gate.Policy
	Findings       []gate.Finding // the decision's own, else those of the last look before it
	Stable, Canary ArmStatus      // in the stage that was decided about
	Exposure       ExposureStatus
	Next           string
	Deadline       *DeadlineStatus // what ends by itself from here on; nil: nothing
	Allowed        []string
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
