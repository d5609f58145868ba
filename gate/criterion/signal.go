package criterion

import (
	"fmt"
	"strings"

	"serin/gate"
	"serin/gate/window"
)

// SignalPrefix begins the metric of a gate that judges a business signal: "signal.checkout_done".
const SignalPrefix = "signal."

// signal judges a business signal by the same table as errors: its bad mass of its events, on both arms (package signal).
// Where lower is worse, the mass that is missing is bad; limits stay harm, and people are shown the signal itself.
type signal struct {
	rate
	name  string
	lower bool
}

func newSignal(s Spec) (gate.Criterion, error) {
	name := strings.TrimPrefix(s.Metric, SignalPrefix)
	lower := s.Worse == "lower"
	plain := s
	plain.Worse = ""
	for _, l := range []**Limit{&plain.Hold, &plain.Rollback} {
		limit, err := signalLimit(*l, s.Metric, lower)
		if err != nil {
			return nil, err
		}
		*l = limit
	}
	c, err := newRate(plain, window.BadKind)
	if err != nil {
		return nil, err
	}
	r := *c.(*rate)
	r.text = textOf(s)
	if lower {
		r.text += ", lower is worse"
	}
	return &signal{r, name, lower}, nil
}

// signalLimit is a limit on the bad mass: a number is a share, and where lower is worse a share is turned round.
func signalLimit(l *Limit, metric string, lower bool) (*Limit, error) {
	if l == nil {
		return nil, nil
	}
	c := *l
	if c.Form == Number {
		if c.Value <= 0 || c.Value >= 1 {
			return nil, fmt.Errorf("%s cannot be limited by %q: its values are between 0 and 1", metric, l)
		}
		c.Form = Share
	}
	if lower && c.Form == Factor {
		return nil, fmt.Errorf(`%s cannot be limited by %q where lower is worse: want points, such as "stable - 1pt"`, metric, l)
	}
	c.less = c.less && !lower
	if lower && c.Form == Share {
		c.Value = 1 - c.Value
	}
	return &c, nil
}

// Applies implements gate.Criterion: signals are heard of shares of the users, not of a ring's members.
func (s *signal) Applies(stage int, st gate.Stage) bool {
	return st.Weight > 0 && s.rate.Applies(stage, st)
}

// Judge implements gate.Criterion.
func (s *signal) Judge(q gate.Question) gate.Finding {
	view := q.Signals[s.name]
	if view == nil || q.Past != nil {
		f := s.finding("points")
		f.Unfit = q.Past != nil
		return f
	}
	q.View, q.Frozen = view, nil
	f := s.rate.Judge(q)
	if s.lower {
		s.turn(&f)
	}
	return f
}

// turn shows the signal, not what is missing of it. Differences and limits stay harm: what the canary has less.
func (s *signal) turn(f *gate.Finding) {
	n := &f.Samples
	if n.Stable > 0 {
		f.Stable, n.StableBad = 1-f.Stable, n.Stable-n.StableBad
	}
	if n.Canary > 0 {
		f.Canary, n.CanaryBad = 1-f.Canary, n.Canary-n.CanaryBad
	}
	f.Lower = true
	if f.Absolute {
		f.HoldLimit, f.PassLimit = 1-f.HoldLimit, 1-f.PassLimit
		f.Difference, f.DifferenceLow, f.DifferenceHigh = 1-f.Difference, 1-f.DifferenceHigh, 1-f.DifferenceLow
		if f.RollbackLimit != nil {
			f.RollbackLimit = new(1 - *f.RollbackLimit)
		}
	}
}

// SignalOf is the signal that a metric names; ok is false for the others, and for "signal." without a name.
func SignalOf(metric string) (name string, ok bool) {
	name, ok = strings.CutPrefix(metric, SignalPrefix)
	return name, ok && name != ""
}

// SignalsOf are the signals that criteria judge; true where lower is worse.
func SignalsOf(criteria []gate.Criterion) map[string]bool {
	var out map[string]bool
	for _, c := range criteria {
		if s, ok := c.(*signal); ok {
			if out == nil {
				out = map[string]bool{}
			}
			out[s.name] = s.lower
		}
	}
	return out
}
