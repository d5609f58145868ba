package gate

import (
	"slices"
	"strings"

	"serin/gate/window"
)

// Baselines: whom the canary is compared with.
const (
	Concurrent     = "concurrent" // stable's users, in the same minutes
	OwnPast        = "own_past"   // the same people, on stable before their ring opened
	FrozenBaseline = "frozen"     // stable's last table
	AbsoluteOnly   = "absolute"   // nobody: only limits that ask nothing of stable decide
)

// Past is what the members of a ring did on the version in service before their ring opened: the only people they can be
// compared with, for who is in a ring is not like everybody else. Immutable.
type Past struct {
	Ring   string                `json:"ring"`
	Table  *window.Snapshot      `json:"table"`
	Others *window.Snapshot      `json:"others"` // what everybody else did in the same time
	Effect [window.Kinds]float64 `json:"effect"` // design effects of Table; 0: 1
}

// Alone reports whether the stage sends nobody but members of rings to the canary.
func (st Stage) Alone() bool { return st.Audience != "" && st.Weight == 0 }

// leastOthers is how many requests of everybody else, before and now, tell whether stable moved.
const leastOthers = 100

// question is what a gate is asked; false where it is not asked at all. In a stage of a ring alone a limit relative to stable
// means the members' own past: those on stable now are other people.
func (t *turn) question(c Criterion, q Question, past *Past) (Question, bool) {
	st := t.p.stage(t.s.Stage)
	if c.Applies(t.s.Stage, st) {
		return q, true
	}
	if !st.Alone() {
		return q, false
	}
	ring := st.Audience
	st.Weight = 1
	if !c.Applies(t.s.Stage, st) {
		return q, false
	}
	if past == nil || past.Ring != ring {
		t.unjudged(c)
		return q, false
	}
	q.Frozen, q.Past = past.Table, past
	return q, true
}

// unjudged notes a gate that the ring's past is too little for.
func (t *turn) unjudged(c Criterion) { t.d.Unjudged = append(t.d.Unjudged, c.Metric()) }

// contrast takes back what is found against the own past and time alone may explain: it stands when everybody else, on stable all
// the while, has not moved beyond the hold limit in the same minutes. Where too few are left to tell, a fail is a finding.
func (t *turn) contrast(c Criterion, q Question, f *Finding) {
	f.Past = true
	if f.Verdict != Fail && !f.Confirmed {
		return
	}
	g := c.Judge(others(q, f.WindowSeconds))
	switch {
	case g.Samples.Stable < leastOthers || g.Samples.Canary < leastOthers:
		f.Verdict, f.Confirmed = Hold, true
	case g.Difference > g.HoldLimit:
		f.Verdict, f.Confirmed, f.Reason = Hold, false, StableUnhealthy
	}
}

// others is the same question about those who stayed on stable: now, against then.
func others(q Question, seconds float64) Question {
	v := *q.View
	for _, s := range []*window.Span{&v.Full, &v.W300, &v.W60, &v.Recent, &v.Plain} {
		s.Canary = s.Stable
	}
	for k := range v.Crowds {
		c := &v.Crowds[k]
		c.WorstCanary, c.ActiveCanary = c.WorstStable, c.ActiveStable
	}
	if q.Plain == nil { // on the span that fails
		switch seconds {
		case window.Short.Seconds():
			v.Full = v.W60
		case window.Long.Seconds():
			v.Full = v.W300
		}
		v.W300.OK, v.W60.OK = false, false
	}
	q.View, q.Past, q.Frozen, q.Terse = &v, nil, q.Past.Others, true
	return q
}

// population is the baseline of a stage whose canary has only members of rings.
func (t *turn) population(otherwise string) string {
	if !t.p.stage(t.s.Stage).Alone() {
		return otherwise
	}
	if slices.ContainsFunc(t.d.Findings, func(f Finding) bool { return f.Past && !f.DryRun }) {
		return OwnPast
	}
	return AbsoluteOnly
}

// ringsOf are the audiences of the stages up to i, each once, in the ladder's order.
func (p *Policy) ringsOf(i int) []string {
	var rings []string
	for _, st := range p.Stages[:max(0, min(i, len(p.Stages)))] {
		if st.Audience != "" && !slices.Contains(rings, st.Audience) {
			rings = append(rings, st.Audience)
		}
	}
	return rings
}

// gather opens the rings that belong to the stage, where a decision entered one. A reload opens none, a step back only closes
// some, and a dry run leaves them to a person.
func (t *turn) gather(a Action) {
	s := &t.s
	if s.Stage == 0 || s.Phase == Waiting || s.Phase == Completed || s.Phase == RolledBack {
		s.Rings = nil
		return
	}
	switch a {
	case ActStart:
		if !t.p.DryRun {
			s.Rings = t.p.ringsOf(s.Stage)
		}
	case ActAdvance, ActPromote:
		s.Rings = t.p.ringsOf(s.Stage)
	case ActStepBack:
		s.Rings = slices.DeleteFunc(t.p.ringsOf(s.Stage), func(ring string) bool { return !slices.Contains(t.was.Rings, ring) })
	case ActHold, ActRollback, ActComplete, ActPause, ActResume, ActApprove, ActRetry, ActRestart, ActReplan, ActFreeze, ActWithdrawn,
		ActAwait, ActRefuse, ActWiden, ActDrill, ActStopArm, ActEnd:
	}
}

// opens reports whether entering stage i lets a ring in.
func (t *turn) opens(i int) bool {
	return slices.ContainsFunc(t.p.ringsOf(i), func(ring string) bool { return !slices.Contains(t.s.Rings, ring) })
}

// shut reports whether the stage's own ring is not open: a reload put the rollout there.
func (s *State) shut(p *Policy) bool {
	ring := p.stage(s.Stage).Audience
	return ring != "" && !slices.Contains(s.Rings, ring)
}

// covers reports whether the rings are all among those of the stages up to i.
func (p *Policy) covers(i int, rings []string) bool {
	of := p.ringsOf(i)
	return !slices.ContainsFunc(rings, func(ring string) bool { return !slices.Contains(of, ring) })
}

// still are the rings that the ladder has.
func (p *Policy) still(rings []string) []string {
	all := p.ringsOf(len(p.Stages))
	return slices.DeleteFunc(slices.Clone(rings), func(ring string) bool { return !slices.Contains(all, ring) })
}

// named reports whether stage i goes by its name and not by its share, for it has none: a ring, a mirror, a preview.
func (p *Policy) named(i int) bool { return i >= 1 && i <= len(p.Stages) && p.stage(i).Weight == 0 }

// place is where a rollout stands, for people: its share, or the stage's name where it has none.
func place(s State, p *Policy) string {
	if p.named(s.Stage) && s.Weight == 0 && s.Phase != RolledBack && s.Phase != Waiting {
		return stageName(p, s.Stage)
	}
	return s.Weight.String()
}

// whose names those that the finding compares the canary's users with.
func whose(f *Finding) string {
	if f.Past {
		return "of the same people before"
	}
	return "of stable"
}

// unjudgedText names the gates that could not be asked of a ring, and why; "" where there is none.
func unjudgedText(d *Decision) string {
	var requests, signals, parts []string
	for _, metric := range d.Unjudged {
		if strings.HasPrefix(metric, "signal.") {
			signals = append(signals, gateName(metric))
			continue
		}
		requests = append(requests, gateName(metric))
	}
	if len(requests) > 0 {
		parts = append(parts, "the ring's members have too little past on stable for "+strings.Join(requests, ", "))
	}
	if len(signals) > 0 {
		parts = append(parts, "signals are of shares of the users ("+strings.Join(signals, ", ")+"), not of rings")
	}
	return strings.Join(parts, "; ")
}

// BaselineText says in a ring's stage whom its members are compared with; "" elsewhere.
func BaselineText(s State, p *Policy, d *Decision) string {
	if !p.stage(s.Stage).Alone() || len(s.Rings) == 0 {
		return ""
	}
	text := unjudgedText(d)
	switch {
	case d.Baseline == OwnPast && text != "":
		return "the same people's own past on stable; " + text
	case d.Baseline == OwnPast:
		return "the same people's own past on stable, before their ring opened"
	case d.Baseline == AbsoluteOnly && text != "":
		return "absolute limits only: " + text
	case d.Baseline == AbsoluteOnly:
		return "absolute limits only: who is on stable now is not like them"
	}
	return ""
}

// travel is move, by the names of stages where the share says nothing.
func travel(s State, p *Policy, d *Decision) string {
	if d.From != d.To || !p.named(s.Stage) {
		return move(d)
	}
	switch d.Action {
	case ActAdvance, ActPromote, ActStepBack:
		return " to " + stageName(p, s.Stage)
	case ActRollback:
		if p.stage(s.Stage).Alone() {
			return " from " + stageName(p, s.Stage) + " to nobody"
		}
		return " from " + stageName(p, s.Stage)
	case ActHold, ActStart, ActComplete, ActPause, ActResume, ActApprove, ActRetry, ActRestart, ActReplan, ActFreeze, ActWithdrawn,
		ActAwait, ActRefuse, ActWiden, ActDrill, ActStopArm, ActEnd:
	}
	return move(d)
}
