package criterion

import (
	"slices"

	"serin/gate"
)

// outside judges by what somebody else measures: a number of a metrics store, or a check's answer. There is no evidence to
// weigh, only the last readings; so a rollback wants two in a row beyond the limit, and a source that fails, is late or
// has no answer yet holds.
type outside struct {
	rule
	below bool // lower is worse
}

// newPrometheus judges the value of a query against plain numbers.
func newPrometheus(s Spec) (gate.Criterion, error) {
	if err := fits(s, `a plain number: "0.02"`, Number, Share, Time); err != nil {
		return nil, err
	}
	o, err := newOutside(s)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// newWebhook obeys a check that answers allow, hold or fail; with limits, it judges the value that the check answers.
func newWebhook(s Spec) (gate.Criterion, error) {
	if s.Hold != nil || s.Rollback != nil {
		return newPrometheus(s)
	}
	s.Hold = &Limit{Form: Number, text: "as it answers"}
	c, err := newOutside(s)
	if err != nil {
		return nil, err
	}
	c.text = "allow, hold or fail, as " + s.Source + " answers"
	return &check{*c}, nil
}

func newOutside(s Spec) (*outside, error) {
	below := s.Worse == "lower"
	s.Worse = ""
	r, err := newRule(s)
	if err != nil {
		return nil, err
	}
	if s.Hold != nil && s.Rollback != nil && (s.Rollback.Value < s.Hold.Value) != below && s.Rollback.Value != s.Hold.Value {
		return nil, backwards(s)
	}
	if below {
		r.text += ", lower is worse"
	}
	r.text += " (" + s.Source + ")" // two queries with one limit are two gates
	return &outside{r, below}, nil
}

// Applies implements gate.Criterion: a check outside may be asked in every stage.
func (o *outside) Applies(stage int, _ gate.Stage) bool {
	return len(o.stages) == 0 || slices.Contains(o.stages, stage)
}

// beyond reports whether v is worse than the limit.
func (o *outside) beyond(v float64, l *Limit) bool {
	if o.below {
		return v < l.Value
	}
	return v > l.Value
}

// Judge implements gate.Criterion.
func (o *outside) Judge(q gate.Question) gate.Finding {
	f := o.finding("value")
	f.Absolute, f.HoldLimit, f.PassLimit = true, o.hold.Value, o.hold.Value
	if o.roll != nil {
		f.RollbackLimit = new(o.roll.Value)
	}
	heard, ok := q.Outside[o.text]
	if !ok || len(heard.Values) == 0 || !heard.Fresh() {
		return unknown(f, heard)
	}
	last := heard.Values[len(heard.Values)-1]
	f.Canary, f.Difference, f.DifferenceLow, f.DifferenceHigh = last, last, last, last
	switch {
	case o.roll != nil && o.twice(heard.Values, o.roll):
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case o.twice(heard.Values, o.hold):
		f.Reason, f.Confirmed = gate.WorseThanStable, true
	case o.beyond(last, o.hold):
		f.Reason = gate.EstimateAboveHold
	case q.Dwelled:
		f.Verdict, f.Reason, f.Clear, f.ExpectedSeconds = gate.Pass, gate.Passed, true, new(0.)
	default:
		f.Clear, f.ExpectedSeconds = true, new(0.)
	}
	return f
}

// twice reports whether the last two readings are beyond a limit.
func (o *outside) twice(values []float64, l *Limit) bool {
	n := len(values)
	return n >= 2 && o.beyond(values[n-1], l) && o.beyond(values[n-2], l)
}

// unknown holds for want of a reading.
func unknown(f gate.Finding, heard gate.Outside) gate.Finding {
	f.Reason, f.Note = gate.OutsideUnknown, heard.Failure
	if !heard.Heard && heard.Failure == "" {
		f.Reason = gate.Collecting
	}
	return f
}

// check is an outside gate whose answers are verdicts.
type check struct{ outside }

// CanFail implements gate.Criterion: whether it does is for the other side to say.
func (c *check) CanFail() bool { return !c.dry }

// Judge implements gate.Criterion.
func (c *check) Judge(q gate.Question) gate.Finding {
	f := c.finding("answer")
	f.Absolute = true
	heard, ok := q.Outside[c.text]
	if !ok || !heard.Fresh() {
		return unknown(f, heard)
	}
	f.Note = heard.Note
	switch {
	case heard.Answer == gate.Fail:
		f.Verdict, f.Reason, f.Confirmed = gate.Fail, gate.WorseThanStable, true
	case heard.Answer == gate.Hold:
		f.Reason = gate.EstimateAboveHold
	case q.Dwelled:
		f.Verdict, f.Reason, f.Clear, f.ExpectedSeconds = gate.Pass, gate.Passed, true, new(0.)
	default:
		f.Clear, f.ExpectedSeconds = true, new(0.)
	}
	return f
}
