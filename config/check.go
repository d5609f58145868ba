package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"serin/gate/evidence"
	"serin/router"
)

// Timetable is what one rollout's ladder takes at one traffic: what `serin check` tells before anything is released.
type Timetable struct {
	Rollout   string         `json:"rollout"`
	Audience  string         `json:"audience,omitempty"` // whom it is for: the traffic is theirs alone; absent: everybody
	RPS       float64        `json:"rps"`                // requests per second of the route, both arms
	ErrorRate float64        `json:"error_rate"`         // of stable, and of the canary when it is no worse
	Assumed   bool           `json:"assumed"`            // nobody said how much traffic there is: nothing is refused
	Stages    []StageTime    `json:"stages"`
	Least     Quantity       `json:"least_seconds"`
	Expected  Quantity       `json:"expected_seconds"` // null: never
	Problems  []StageProblem `json:"problems"`         // stages that cannot be judged in time: refuse
	Warnings  []StageProblem `json:"warnings"`
	capacity  string
}

// StageProblem is something about one stage's time, and what would help.
type StageProblem struct {
	Stage int    `json:"stage"`
	Text  string `json:"problem"`
	Help  string `json:"help,omitempty"`
}

// StageTime is one stage and the crossing out of it.
type StageTime struct {
	Stage    int        `json:"stage"` // from 1
	Label    string     `json:"label"`
	Next     string     `json:"next"`  // label of the next stage; "done" after the last
	Share    float64    `json:"share"` // of the users on the canary
	Least    Quantity   `json:"least_seconds"`
	Expected Quantity   `json:"expected_seconds"`
	Late     Quantity   `json:"late_seconds"`     // nine times in ten it is over by then
	Person   bool       `json:"person,omitempty"` // waits for a person's approval
	Gates    []GateTime `json:"gates"`
}

// GateTime is what one gate needs to pass a canary that is no worse, and to call one that is.
type GateTime struct {
	Metric   string   `json:"metric"`
	Rule     string   `json:"rule"`
	Proves   string   `json:"proves"`             // "harm < 2 points"
	Requests Quantity `json:"requests"`           // of the canary; null: no number is enough
	Seconds  Quantity `json:"seconds"`            // until then
	Hold     Quantity `json:"hold_seconds"`       // until the hold limit itself could be told; null: never
	HoldText string   `json:"hold,omitempty"`     // "+0.5 points"; empty where Proves says it
	Calls    Quantity `json:"rollback_requests"`  // until a canary at the rollback limit is rolled back; null: never
	CallTime Quantity `json:"rollback_seconds"`   //
	CallText string   `json:"rollback,omitempty"` // "+2 points"
	Note     string   `json:"note,omitempty"`
	Outside  bool     `json:"outside,omitempty"`       // asked elsewhere: no request of the canary is needed
	Ring     bool     `json:"ring,omitempty"`          // of members of a ring, whose traffic nobody knows beforehand
	Past     Quantity `json:"past_requests,omitempty"` // requests the members must have made on stable before
}

// Quantity is a number of requests or seconds; +Inf is never, and null in JSON.
type Quantity float64

// Never is a quantity that is not reached.
func (q Quantity) Never() bool { return math.IsInf(float64(q), 1) }

// MarshalJSON implements json.Marshaler.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if q.Never() {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(q)*10) / 10)
}

const (
	assumedErrors = .01 // where nobody says: stable's error rate
	lateFactor    = 1.6 // gate.md, section 7: nine times in ten within this much of the plan
	slowFactor    = 4   // times the least time from which on check warns
	leastRequests = 100 // canary requests a pass needs in any case
)

// assumedRates are shown where nobody says how much traffic there is.
var assumedRates = []float64{1, 10, 100}

// Timetable plans every rollout, at rps requests a second with errorRate errors on stable (a fraction). 0 or less is
// unknown: then 1, 10 and 100 requests a second are shown, and 1 % errors are assumed.
func (p *Plan) Timetable(rps, errorRate float64) []Timetable {
	rates := []float64{rps}
	if !(rps > 0) {
		rates = assumedRates
	}
	guessed := !(errorRate > 0) || errorRate >= 1
	if guessed {
		errorRate = assumedErrors
	}
	var tables []Timetable
	for i := range p.Rollouts {
		r := &p.Rollouts[i]
		for _, rate := range rates {
			pl := planner{rollout: r, gates: p.config.Rollout[r.Name].Gate, rps: rate, p: errorRate, guessed: guessed}
			tables = append(tables, pl.table(!(rps > 0)))
		}
	}
	return tables
}

// planner works out one timetable.
type planner struct {
	rollout *Rollout
	gates   []GateTable
	rps, p  float64
	guessed bool // p is nobody's
}

// table plans every stage in turn; a frozen baseline is what the stage before it left.
func (pl *planner) table(assumed bool) Timetable {
	policy := pl.rollout.Policy
	t := Timetable{Rollout: pl.rollout.Name, Audience: policy.Audience, RPS: pl.rps, ErrorRate: pl.p, Assumed: assumed}
	var baseline float64 // stable's requests in the stage before
	for i := range policy.Stages {
		s := pl.stage(i, baseline)
		t.Least += s.Least
		t.Expected += s.Expected
		t.Stages = append(t.Stages, s)
		pl.assess(&t, i, baseline)
		baseline = pl.rps * (1 - s.Share) * float64(s.Expected)
	}
	pl.capacity(&t)
	t.capacity = capacityText(policy)
	return t
}

// stage plans the i-th stage.
func (pl *planner) stage(i int, baseline float64) StageTime {
	policy := pl.rollout.Policy
	stage := policy.Stages[i]
	s := StageTime{
		Stage: i + 1, Label: stage.Label, Next: "done", Share: pl.share(i),
		Least:  Quantity(stage.Least.Seconds()),
		Person: stage.Preview || stage.Approve != nil || stage.Owner != "",
	}
	if i+1 < len(policy.Stages) {
		s.Next = policy.Stages[i+1].Label
	}
	s.Expected, s.Late = s.Least, s.Least
	if stage.Preview {
		return s
	}
	if stage.Alone() {
		pl.ring(&s, i)
		return s
	}
	for j, c := range policy.Criteria { // one for each gate of the file, in its order
		g := &pl.gates[j]
		if !c.Applies(i+1, stage) {
			continue
		}
		need := pl.gate(g, i, s.Share, baseline)
		need.Rule = c.Rule()
		s.Gates = append(s.Gates, need)
		if !bool(g.DryRun) {
			s.Expected = max(s.Expected, need.Seconds)
			s.Late = max(s.Late, need.Seconds*lateFactor)
		}
	}
	return s
}

// share is the fraction of the users that stage i sends to the canary.
func (pl *planner) share(i int) float64 {
	policy := pl.rollout.Policy
	w := policy.Stages[i].Weight
	if i == len(policy.Stages)-1 {
		w = min(w, router.Full-policy.Holdback)
	}
	return w.Fraction()
}

// assess says what is wrong with a stage's time and what would help.
func (pl *planner) assess(t *Timetable, i int, baseline float64) {
	policy, s := pl.rollout.Policy, &t.Stages[i]
	longest := Quantity(policy.MaxStage.Seconds())
	if len(s.Gates) == 0 && !policy.Stages[i].Preview {
		t.Warnings = append(t.Warnings, StageProblem{s.Stage, "no gate judges this stage: it passes by time alone", ""})
	}
	if policy.Stages[i].Alone() {
		pl.assessRing(t, i)
		return
	}
	found := StageProblem{Stage: s.Stage}
	switch {
	case s.Expected.Never():
		found.Text = "cannot be judged at all"
	case s.Expected > longest:
		found.Text = fmt.Sprintf("needs %s, more than max_stage (%s)", Span(s.Expected), Span(longest))
	case s.Expected > slowFactor*s.Least:
		found.Text = fmt.Sprintf("needs %s, more than %d times its least time (%s)", Span(s.Expected), slowFactor, Span(s.Least))
	default:
		return
	}
	found.Help = pl.help(i, baseline)
	guess := pl.guessed && s.Expected.Never()
	if guess {
		found.Help = "That rests on " + spaced(pl.p) + " of errors, which is a guess: give --error-rate."
	}
	if s.Expected > longest && !t.Assumed && !guess {
		t.Problems = append(t.Problems, found)
		return
	}
	t.Warnings = append(t.Warnings, found)
}

// help looks for the least wider share, or for the last stage the least larger holdback, with which stage i would be
// over in its least time, or at all.
func (pl *planner) help(i int, baseline float64) string {
	policy := pl.rollout.Policy
	last := i == len(policy.Stages)-1
	for _, limit := range []float64{policy.Stages[i].Least.Seconds(), policy.MaxStage.Seconds()} {
		for _, w := range []router.Weight{100, 200, 500, 1000, 2000, 2500, 5000} {
			now, share := policy.Stages[i].Weight, w.Fraction()
			if last {
				now, share = policy.Holdback, 1-w.Fraction()
			}
			if w <= now || last && i > 0 && router.Full-w <= policy.Stages[i-1].Weight {
				continue
			}
			longest := pl.longest(i, share, baseline)
			switch {
			case float64(longest) > limit:
			case last:
				return fmt.Sprintf("A holdback of %s gets it over in %s.", w, Span(longest))
			case w >= policy.Stages[i+1].Weight:
				return fmt.Sprintf("Widen stage %d to %s, in place of the stages up to that, to get there in %s.", i+1, w, Span(longest))
			default:
				return fmt.Sprintf("Widen stage %d to %s to get there in %s.", i+1, w, Span(longest))
			}
		}
	}
	return "No share gets there in time: wider limits or more traffic would."
}

// longest is the time the slowest gate of stage i needs at a share.
func (pl *planner) longest(i int, share, baseline float64) (q Quantity) {
	policy := pl.rollout.Policy
	for j, c := range policy.Criteria {
		if c.Applies(i+1, policy.Stages[i]) && !bool(pl.gates[j].DryRun) {
			q = max(q, pl.gate(&pl.gates[j], i, share, baseline).Seconds)
		}
	}
	return q
}

// seconds is how long n canary requests take at a share.
func (pl *planner) seconds(n, share float64) Quantity {
	d := evidence.TimeFor(n, share, pl.rps)
	if d == math.MaxInt64 {
		return Quantity(math.Inf(1))
	}
	return Quantity(d.Seconds())
}

// failNats is the evidence a rollback needs in the full span (gate.md, section 2).
func (pl *planner) failNats() float64 {
	policy := pl.rollout.Policy
	failers := 0
	for _, c := range policy.Criteria {
		if c.CanFail() {
			failers++
		}
	}
	return math.Log(2 * float64(len(policy.Stages)) * float64(max(failers, 1)) / policy.AlphaFail)
}

// nextShare is the users' fraction the crossing after stage i answers for: the next stage's, everybody where that is the
// last, and after the last the holdback.
func (pl *planner) nextShare(i int) float64 {
	switch i {
	case len(pl.rollout.Policy.Stages) - 1:
		return 1 - pl.share(i)
	case len(pl.rollout.Policy.Stages) - 2:
		return 1
	}
	return pl.share(i + 1)
}

// Span writes seconds as a person says them: "32 s", "3.7 min", "5.9 h", "never".
func Span(q Quantity) string {
	switch s := float64(q); {
	case q.Never():
		return "never"
	case s < 90:
		return fmt.Sprintf("%.0f s", s)
	case s < 600:
		return tenths(s/60) + " min"
	case s < 90*60:
		return fmt.Sprintf("%.0f min", s/60)
	case s < 48*3600:
		return tenths(s/3600) + " h"
	default:
		return fmt.Sprintf("%.0f days", s/86400)
	}
}

// tenths writes a number with one decimal, or none where it is whole.
func tenths(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
