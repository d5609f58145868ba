// Package criterion judges: one metric a file, one line of the registry each. A criterion looks at a window.View and
// answers pass, hold or fail with everything a person needs to check the answer (gate.md, sections 2 to 4).
//
//	rates      error_rate, timeout_rate, client_error_rate, abort_rate: x bad of n, on both arms
//	latencies  latency_p50 | p90 | p95 | p99: how many are beyond an edge of stable's own histogram
//
// Both end in the same 2x2 table and the same three questions:
//
//	FAIL  the estimate is at or above the rollback limit, and the evidence against "no more than half the hold limit"
//	      is overwhelming in the full step, the last 300 s or the last 60 s, without the worst user of either arm
//	HOLD  the estimate is above the hold limit and "not worse at all" is refuted at odds of 20: a confirmed finding
//	PASS  the least time and 100 canary requests are over, the estimate is within the hold limit, and the harm the next
//	      stage must not suffer is refuted
//
// Everything in between is Hold with the reason, as is everything that cannot be known. Values are immutable.
package criterion

import (
	"fmt"
	"slices"
	"strings"

	"serin/gate"
	"serin/gate/window"
)

// Spec is one gate as the user wrote it.
type Spec struct {
	Metric         string
	Hold, Rollback *Limit  // at least one; both relative to stable or both absolute
	Floor          float64 // a relative limit on a rate never judges less; a fraction, default .001 (0.1 point)
	Worse          string  // "higher", the default; nothing else fits these metrics
	Stages         []int   // 1-based; empty: all
	DryRun         bool    // judged and shown, not obeyed
	Source         string  // of prometheus and webhook: the query, the address; for people, and to tell two gates apart
}

const defaultFloor = .001

// rule is what every criterion keeps of its Spec.
type rule struct {
	metric string
	text   string
	hold   *Limit // never nil: a gate with a rollback limit only holds there too
	roll   *Limit // nil: never fails
	floor  float64
	stages []int
	dry    bool
}

func newRule(s Spec) (rule, error) {
	if s.Hold == nil && s.Rollback == nil {
		return rule{}, fmt.Errorf("%s has neither hold nor rollback: it would judge nothing", s.Metric)
	}
	if s.Worse != "" && s.Worse != "higher" {
		return rule{}, fmt.Errorf("%s is worse when it is higher: worse = %q is for signals", s.Metric, s.Worse)
	}
	if s.Hold != nil && s.Rollback != nil && s.Hold.Absolute() != s.Rollback.Absolute() {
		return rule{}, fmt.Errorf("%s mixes a limit relative to stable with an absolute one: write two gates", s.Metric)
	}
	if s.Floor < 0 || s.Floor >= 1 {
		return rule{}, fmt.Errorf("the floor of %s is outside 0 to 100 points", s.Metric)
	}
	for _, n := range s.Stages {
		if n < 1 {
			return rule{}, fmt.Errorf("%s names stage %d: stages count from 1", s.Metric, n)
		}
	}
	r := rule{
		metric: s.Metric, text: textOf(s), hold: s.Hold, roll: s.Rollback, floor: s.Floor,
		stages: slices.Clone(s.Stages), dry: s.DryRun,
	}
	if r.hold == nil {
		r.hold = s.Rollback
	}
	if r.floor == 0 {
		r.floor = defaultFloor
	}
	return r, nil
}

// newComparison is newRule for what is measured on both arms, with limits of the given forms: want says which, for people.
func newComparison(s Spec, want string, forms ...Form) (rule, error) {
	if err := fits(s, want, forms...); err != nil {
		return rule{}, err
	}
	r, err := newRule(s)
	if err != nil {
		return rule{}, err
	}
	if s.Hold != nil && s.Rollback != nil && s.Hold.Form == s.Rollback.Form && s.Rollback.Value < s.Hold.Value {
		return rule{}, backwards(s)
	}
	return r, nil
}

// backwards is the refusal of a rollback limit that comes before the hold limit.
func backwards(s Spec) error {
	return fmt.Errorf("%s rolls back at %q before it holds at %q: swap them", s.Metric, s.Rollback, s.Hold)
}

// textOf is the rule in the user's words.
func textOf(s Spec) string {
	var parts []string
	if s.Hold != nil {
		parts = append(parts, "hold: "+s.Hold.String())
	}
	if s.Rollback != nil {
		parts = append(parts, "rollback: "+s.Rollback.String())
	}
	if s.Floor != 0 && s.Floor != defaultFloor {
		parts = append(parts, fmt.Sprintf("floor: %gpt", s.Floor*100))
	}
	if len(s.Stages) > 0 {
		parts = append(parts, "stages: "+strings.Trim(fmt.Sprint(s.Stages), "[]"))
	}
	if s.DryRun {
		parts = append(parts, "dry run")
	}
	return strings.Join(parts, ", ")
}

// Metric implements gate.Criterion.
func (r *rule) Metric() string { return r.metric }

// Rule implements gate.Criterion.
func (r *rule) Rule() string { return r.text }

// CanFail implements gate.Criterion.
func (r *rule) CanFail() bool { return r.roll != nil && !r.dry }

// Applies implements gate.Criterion: a relative limit needs a share of the users on the canary, an absolute one any.
func (r *rule) Applies(stage int, s gate.Stage) bool {
	if len(r.stages) > 0 && !slices.Contains(r.stages, stage) {
		return false
	}
	return s.Weight > 0 || r.hold.Absolute() && s.Audience != ""
}

// finding begins an answer: Hold, until something else is shown.
func (r *rule) finding(scale string) gate.Finding {
	return gate.Finding{
		Metric: r.metric, Scale: scale, Rule: r.text, Verdict: gate.Hold, Reason: gate.Collecting,
		DryRun: r.dry, Absolute: r.hold.Absolute(),
	}
}

// stableOf is the baseline of a span: what stable shows in it, or its last table where it has no users any more.
func stableOf(span *window.Span, frozen *window.Snapshot) *window.Snapshot {
	if frozen != nil {
		return frozen
	}
	return &span.Stable
}
