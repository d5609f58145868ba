// Package replay judges what a journal recorded with other gates: which decisions of the past they would have made too,
// which they would have held, and when they would have reverted.
//
//	windows of an attempt -> View (differences, as the tracker makes them) -> gate.Review -> findings, verdict
//	decisions of the attempt, each beside the verdict of its moment
//
// It is pure. After the first decision that would have been another, the traffic would have been another too: what a replay
// says from there on is what the gates make of the traffic as it was, and it says so.
package replay

import (
	"slices"
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

// Attempt is one attempt, judged again.
type Attempt struct {
	Rollout  string     `json:"rollout"`
	Number   int        `json:"attempt"`
	Revision string     `json:"revision"`
	From     time.Time  `json:"from"` // wall times of the first and the last look
	To       time.Time  `json:"to"`
	Looks    int        `json:"looks"`
	Ended    string     `json:"ended"` // completed, rolled_back or as it was last
	Points   []Point    `json:"points"`
	Outcome  string     `json:"outcome"`            // same | held | rolled_back | not_rolled_back
	Earlier  *float64   `json:"earlier_seconds"`    // a rollback: how much sooner than it was; null: it was none, or would be none
	Diverges *time.Time `json:"diverges_at"`        // the first decision that would have been another; null: none
	Spared   uint64     `json:"spared_requests"`    // canary requests after an earlier rollback
	Unjudged int        `json:"unjudged,omitempty"` // looks at stages that no gate of the new file judges
	LeftOut  []string   `json:"left_out,omitempty"` // metrics of the new file's gates whose evidence is not recorded
}

// Point is a moment of the past at which something was decided, or would have been.
type Point struct {
	At      time.Time      `json:"at"`
	Action  string         `json:"action"` // what was done then; empty: nothing
	From    float64        `json:"from"`
	To      float64        `json:"to"`
	By      string         `json:"by,omitempty"`
	Would   string         `json:"would"` // advance | hold | rollback | the same, for what is not the gates' to decide
	Reason  string         `json:"reason,omitempty"`
	Differs bool           `json:"differs"`
	Gates   []gate.Finding `json:"gates,omitempty"`
}

// What would have been done.
const (
	WouldPass = "advance"
	WouldHold = "hold"
	WouldFail = "rollback"
	TheSame   = "the same"
)

// Outcomes.
const (
	Same          = "same"
	Held          = "held"
	RolledBack    = "rolled_back"
	NotRolledBack = "not_rolled_back"
)

// Attempts judges every recorded attempt of a rollout again, oldest first.
func Attempts(past *journal.Past, rollout string, p *gate.Policy) []Attempt {
	p, left := judged(p)
	byNumber := map[int][]journal.Window{}
	var numbers []int
	for _, w := range past.Windows {
		if w.Rollout != rollout {
			continue
		}
		if byNumber[w.Attempt] == nil {
			numbers = append(numbers, w.Attempt)
		}
		byNumber[w.Attempt] = append(byNumber[w.Attempt], w)
	}
	out := make([]Attempt, 0, len(numbers))
	for _, n := range numbers {
		var decisions []journal.Entry
		for _, e := range past.Decisions {
			if e.Rollout == rollout && e.State.Attempt == n {
				decisions = append(decisions, e)
			}
		}
		a := attempt(byNumber[n], decisions, p)
		a.LeftOut = left
		out = append(out, a)
	}
	return out
}

// look is a window judged again.
type look struct {
	*journal.Window
	gate.Reviewed
}

func (l *look) would() string {
	switch {
	case l.Decision.Verdict == gate.Fail:
		return WouldFail
	case l.Decision.Verdict == gate.Pass:
		return WouldPass
	}
	return WouldHold
}

// attempt judges one attempt again.
func attempt(windows []journal.Window, decisions []journal.Entry, p *gate.Policy) Attempt {
	first, last := &windows[0], &windows[len(windows)-1]
	out := Attempt{
		Rollout: first.Rollout, Number: first.Attempt, Revision: first.Revision, From: first.At, To: last.At,
		Looks: len(windows), Ended: last.Phase.String(), Points: []Point{}, Outcome: Same,
	}
	looks := judge(windows, p, &out)
	fail, held := out.findings(looks)
	for _, e := range decisions {
		if pt, ok := decided(e, looks); ok {
			out.Points = append(out.Points, pt)
		}
		if ph := e.State.Phase; ph == gate.Completed || ph == gate.RolledBack {
			out.Ended = ph.String()
		}
	}
	if held != nil && !then(decisions, held.At, isHold) {
		out.Points = append(out.Points, found(held))
	}
	if fail != nil && !then(decisions, fail.At, isFail) {
		out.Points = append(out.Points, found(fail))
	}
	out.Points = slices.DeleteFunc(out.Points, func(p Point) bool { return p.Action == "" && out.says(&p) })
	slices.SortStableFunc(out.Points, func(a, b Point) int { return a.At.Compare(b.At) })
	out.conclude(fail, decisions, looks)
	return out
}

// judge reviews every window.
func judge(windows []journal.Window, p *gate.Policy, out *Attempt) []look {
	looks := make([]look, len(windows))
	var memory gate.State
	for i := range windows {
		w := &windows[i]
		s := gate.State{
			Phase: gate.Progressing, Stage: w.Stage, Weight: w.Weight, Revision: w.Revision, Attempt: w.Attempt, Step: w.Step,
			Restarts: w.Restarts, Clock: w.Clock, Age: w.Age,
		}
		s.Stage = p.StageAt(s)
		if memory.Step == w.Step {
			s.Failing, s.Above = memory.Failing, memory.Above
		}
		seen := seenOf(windows, i, p)
		looks[i].Window = w
		memory, looks[i].Reviewed = gate.Review(s, p, w.At, &seen)
		if len(looks[i].Decision.Findings) == 0 {
			out.Unjudged++
		}
	}
	return looks
}

// findings are the first look that would have rolled back, and the first before it with a confirmed finding.
func (a *Attempt) findings(looks []look) (fail, held *look) {
	for i := range looks {
		l := &looks[i]
		if l.Decision.Verdict == gate.Fail {
			return l, held
		}
		if l.Confirmed && held == nil {
			held = l
		}
	}
	return nil, held
}

// says reports whether a decision of the same moment already tells that it would have been this one.
func (a *Attempt) says(found *Point) bool {
	return slices.ContainsFunc(a.Points, func(p Point) bool {
		return p.Action != "" && p.Would == found.Would && p.At.Sub(found.At).Abs() < time.Second
	})
}

// then reports whether the same was decided then, or a look earlier or later.
func then(decisions []journal.Entry, moment time.Time, same func(d *gate.Decision) bool) bool {
	return slices.ContainsFunc(decisions, func(e journal.Entry) bool {
		return same(&e.Decision) && e.Decision.Actor == gate.ActorGate && e.At.Sub(moment).Abs() < sameTime
	})
}

func isHold(d *gate.Decision) bool { return d.Action == gate.ActHold && d.Phase == gate.Holding }
func isFail(d *gate.Decision) bool { return d.Action == gate.ActRollback || d.Action == gate.ActFreeze }

// sameTime is how far apart two decisions may be that are one: looks are recorded 5 s apart, and at every decision.
const sameTime = 6 * time.Second

// found is a finding that nobody had at the time.
func found(l *look) Point {
	return Point{
		At: l.At, From: l.Weight.Fraction(), To: l.Weight.Fraction(), Would: l.would(), Reason: string(l.Decision.Reason),
		Gates: l.Decision.Findings, Differs: true,
	}
}

// decided is a decision of the past beside what the gates make of its moment; ok is false for what replays have no say in.
func decided(e journal.Entry, looks []look) (Point, bool) {
	d := e.Decision
	pt := Point{
		At: e.At, Action: d.Action.String(), From: d.From.Fraction(), To: d.To.Fraction(), By: d.Actor, Would: TheSame,
	}
	switch d.Action {
	case gate.ActAdvance, gate.ActComplete, gate.ActRollback, gate.ActFreeze, gate.ActAwait:
	case gate.ActPromote, gate.ActStepBack, gate.ActWiden:
		return pt, true
	default:
		return pt, false
	}
	l := at(looks, e.At, d.From)
	if l == nil || d.Actor != gate.ActorGate || d.Reason == gate.HoldTimedOut || d.Reason == gate.ApprovalTimedOut || elsewhere(&d) {
		return pt, true
	}
	pt.Would, pt.Reason, pt.Gates = l.would(), string(l.Decision.Reason), l.Decision.Findings
	want := WouldPass
	if d.Action == gate.ActRollback || d.Action == gate.ActFreeze {
		want = WouldFail
	}
	pt.Differs = pt.Would != want
	return pt, true
}

// near is how far a look may be from the decision it stands for.
const near = 40 * time.Second

// at is the last look at or just before a moment, at the weight of then.
func at(looks []look, moment time.Time, w router.Weight) *look {
	var found *look
	for i := range looks {
		l := &looks[i]
		if l.At.After(moment.Add(time.Second)) {
			break
		}
		if l.Weight == w && moment.Sub(l.At) < near {
			found = l
		}
	}
	return found
}

// conclude says how the attempt would have gone.
func (a *Attempt) conclude(fail *look, decisions []journal.Entry, looks []look) {
	for i := range a.Points {
		if a.Points[i].Differs {
			when := a.Points[i].At
			a.Diverges = &when
			break
		}
	}
	var reverted *journal.Entry
	for i := range decisions {
		if d := &decisions[i]; d.Decision.Action == gate.ActRollback && d.Decision.Actor == gate.ActorGate && !elsewhere(&d.Decision) {
			reverted = d
		}
	}
	switch {
	case fail != nil && reverted != nil:
		sooner := reverted.At.Sub(fail.At).Seconds()
		a.Earlier = &sooner
		if sooner > sameTime.Seconds() {
			a.Outcome, a.Spared = RolledBack, after(looks, fail)
			return
		}
		a.settle()
	case fail != nil:
		a.Outcome, a.Spared = RolledBack, after(looks, fail)
	case reverted != nil:
		a.Outcome = NotRolledBack
	default:
		a.settle()
	}
}

// settle calls an attempt held where it would have stood still before its end.
func (a *Attempt) settle() {
	if a.Diverges != nil {
		a.Outcome = Held
	}
}

// after is how many requests reached the canary after a look, in all steps.
func after(looks []look, from *look) uint64 {
	most := map[uint64]uint64{}
	for i := range looks {
		if l := &looks[i]; l.At.After(from.At) {
			most[l.Step] = max(most[l.Step], l.Canary.Total())
		}
	}
	var n uint64
	for step, total := range most {
		if step == from.Step {
			total -= from.Canary.Total()
		}
		n += total
	}
	return n
}
