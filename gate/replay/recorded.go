package replay

import (
	"slices"

	"serin/gate"
	"serin/gate/criterion"
)

// unrecorded is a gate whose evidence no journal has. It has no say, and keeps its part of the ladder's false rollbacks.
type unrecorded struct{ gate.Criterion }

// Applies implements gate.Criterion.
func (unrecorded) Applies(int, gate.Stage) bool { return false }

// recorded reports whether windows hold what a gate on the metric judges: the requests of both arms.
func recorded(metric string) bool {
	switch metric {
	case "prometheus", "webhook", "mismatch_rate":
		return false
	}
	_, signal := criterion.SignalOf(metric)
	return !signal
}

// judged is the policy with its unrecorded gates silenced, and their metrics.
func judged(p *gate.Policy) (*gate.Policy, []string) {
	out, left := *p, []string(nil)
	out.Criteria = make([]gate.Criterion, len(p.Criteria))
	for i, c := range p.Criteria {
		if out.Criteria[i] = c; recorded(c.Metric()) {
			continue
		}
		out.Criteria[i] = unrecorded{c}
		if !slices.Contains(left, c.Metric()) {
			left = append(left, c.Metric())
		}
	}
	return &out, left
}

// elsewhere reports whether a decision rests on a fail that no replay can see again: of an unrecorded gate, or against a
// ring's own past.
func elsewhere(d *gate.Decision) bool {
	failed := false
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Verdict != gate.Fail || f.DryRun {
			continue
		}
		if recorded(f.Metric) && !f.Past {
			return false
		}
		failed = true
	}
	return failed
}
