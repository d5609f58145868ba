package gate

import (
	"fmt"
	"strings"
	"time"

	"serin/router"
)

// Drill is a rehearsal of a failure: faults on the canary's side of a rollout, for a bounded time, judged by a copy of the
// gates. It is part of the rollout's state, so that a restart knows how much of its time is left. Immutable.
type Drill struct {
	ID       string        `json:"id"`
	Revision string        `json:"revision"`
	Actor    string        `json:"actor"`
	Reason   string        `json:"reason,omitempty"`
	Faults   Faults        `json:"faults"`
	Header   string        `json:"header,omitempty"` // only requests with this field
	Is       string        `json:"is,omitempty"`     // its value; empty: any
	For      time.Duration `json:"for"`
	Most     int64         `json:"most"`  // requests that may be tampered with
	Left     time.Duration `json:"left"`  // as of the last look
	Spent    time.Duration `json:"spent"` // as of the last look
	Began    time.Time     `json:"began"` // wall time
	Until    time.Time     `json:"until"` // wall time; the earlier of it and Left ends the drill
	Restarts int           `json:"restarts,omitempty"`
}

// Faults are what a drill does to a share of the requests, each 0..1.
type Faults struct {
	Abort    float64       `json:"abort,omitempty"`
	Status   int           `json:"status,omitempty"` // of an abort
	Delay    float64       `json:"delay,omitempty"`
	DelayFor time.Duration `json:"delay_for,omitempty"`
	Cut      float64       `json:"cut,omitempty"`
}

// String is what the command line says of the faults: "abort 503=20%, delay 200ms=10%, cut 5%".
func (f Faults) String() string {
	var parts []string
	if f.Abort > 0 {
		parts = append(parts, fmt.Sprintf("abort %d=%s%%", f.Status, decimals(f.Abort*100, 2)))
	}
	if f.Delay > 0 {
		parts = append(parts, fmt.Sprintf("delay %s=%s%%", f.DelayFor, decimals(f.Delay*100, 2)))
	}
	if f.Cut > 0 {
		parts = append(parts, fmt.Sprintf("cut %s%%", decimals(f.Cut*100, 2)))
	}
	return strings.Join(parts, ", ")
}

// DrillEnd says why a drill ended.
type DrillEnd string

const (
	DrillFired   DrillEnd = "fired"   // a gate would have rolled back: nothing more to learn
	DrillTime    DrillEnd = "time"    // its time is over
	DrillSpent   DrillEnd = "spent"   // as many requests as it may were tampered with
	DrillStopped DrillEnd = "stopped" // by a person
	DrillOver    DrillEnd = "over"    // the rollout ended, or has another revision
)

// DrillResult is what a drill has shown. Immutable.
type DrillResult struct {
	Drill
	End     DrillEnd  `json:"end"`
	Ended   time.Time `json:"ended"`            // wall time
	Stable  uint64    `json:"stable,omitempty"` // requests the judge saw, since the last restart
	Canary  uint64    `json:"canary,omitempty"`
	Aborted uint64    `json:"aborted"`
	Delayed uint64    `json:"delayed"`
	Cut     uint64    `json:"cut"`
	Held    *Firing   `json:"held,omitempty"`  // the first gate that would have held the rollout
	Fired   *Firing   `json:"fired,omitempty"` // the gate that would have rolled it back
	Passed  bool      `json:"passed"`          // the gates do what they are for
}

// Firing is a gate's answer in a drill.
type Firing struct {
	Gate     string  `json:"gate"` // its metric, or a reason where no gate answered
	Rule     string  `json:"rule,omitempty"`
	Requests uint64  `json:"requests"` // of the canary until then
	Seconds  float64 `json:"seconds"`  // since the drill began, or since the last restart
	Finding  Finding `json:"finding"`
}

// Rehearse is the state and the policy by which a drill is judged: the rollout's own gates, in its stage, or in the first
// that has users where none is reached yet, with nothing decided so far and no end to the stage.
func Rehearse(s State, p *Policy) (State, *Policy) {
	judge := *p
	stage := max(s.Stage, 1)
	for stage < len(p.Stages) && p.weightOf(stage) == 0 {
		stage++
	}
	judge.Stages = append([]Stage(nil), p.Stages...)
	for i := range judge.Stages {
		judge.Stages[i].Least = endless
	}
	judge.OnFail, judge.DryRun, judge.HoldTimeout, judge.MaxStage, judge.Sparse = "rollback", false, 0, 0, "extend"
	judge.Warmup, judge.Holdback, judge.DrillAge, judge.Window = 0, max(p.Holdback, 1), 0, nil
	out := State{
		Phase: Progressing, Stage: stage, Weight: min(judge.weightOf(stage), router.Full-1), Revision: p.Revision, Attempt: 1, Step: 1,
		Ladder: judge.ladderText(), Gates: judge.gatesText(), SkewAccepted: true,
	}
	return out, &judge
}

// endless is longer than any stage.
const endless = 365 * 24 * time.Hour

// Ending reads a decision of a drill's judge: the gate that would have held or rolled back, nil for none.
func Ending(d Decision, requests uint64, since time.Duration) (held, fired *Firing) {
	confirmed := d.Action == ActHold && d.Phase == Holding
	if d.Action != ActRollback && !confirmed {
		return nil, nil
	}
	f := &Firing{Gate: string(d.Reason), Requests: requests, Seconds: since.Seconds()}
	for i := range d.Findings {
		if found := &d.Findings[i]; !found.DryRun && (found.Verdict == Fail || confirmed && found.Confirmed) {
			f.Gate, f.Rule, f.Finding = found.Metric, found.Rule, *found
			break
		}
	}
	if confirmed {
		return f, nil
	}
	return nil, f
}

// Passes reports whether the result shows that the gates would have acted: a rollback, or a hold where no gate may roll back.
func (r *DrillResult) Passes(p *Policy) bool {
	return r.Fired != nil || r.Held != nil && p.failers() == 0
}

// drillSentence tells of the drill that began or ended with the state.
func drillSentence(s State) string {
	if d := s.Drill; d != nil {
		who := "the requests that the canary gets"
		if d.Header != "" {
			who = "requests marked with " + d.Header + ", half of them on the canary"
		}
		return fmt.Sprintf("Drill by %s: %s for %s on %s, at most %s.", d.Actor, d.Faults, Span(d.For), who, many(uint64(d.Most), "fault"))
	}
	r := s.Drilled
	if r == nil {
		return "A drill ended."
	}
	return "Drill over" + drillEnds[r.End] + ": " + r.Verdict() + "."
}

var drillEnds = map[DrillEnd]string{
	DrillTime: " after its time", DrillSpent: " after as many faults as it may have", DrillStopped: ", stopped",
	DrillOver: " with the rollout",
}

// Verdict says which gate would have fired, after how many requests and seconds.
func (r *DrillResult) Verdict() string {
	switch {
	case r.Fired != nil:
		return fmt.Sprintf("%s would have rolled back after %s and %s", r.Fired.Gate, many(r.Fired.Requests, "canary request"), secondsText(r.Fired.Seconds))
	case r.Held != nil:
		return fmt.Sprintf("%s would have held after %s and %s, and nothing would have rolled back", r.Held.Gate, many(r.Held.Requests, "canary request"), secondsText(r.Held.Seconds))
	}
	return fmt.Sprintf("no gate would have fired in %s", many(r.Canary, "canary request"))
}

func secondsText(s float64) string {
	if s < 10 {
		return decimals(s, 1) + " s"
	}
	return Span(time.Duration(s * float64(time.Second)))
}
