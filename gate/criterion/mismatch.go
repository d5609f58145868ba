package criterion

import (
	"slices"

	"serin/gate"
	"serin/gate/window"
)

// mismatch judges the answers to mirrored requests: a comparison is a request, and one that differs is bad. The canary's are
// compared with what the users got from stable; the baseline is stable compared with itself, so that a limit relative to
// stable asks how much more the canary differs than stable does anyway. Both are what is left after the noise that the
// mirror has learned (package shadow).
type mismatch struct{ rate }

// newMismatchRate judges Question.Mirror.
func newMismatchRate(s Spec) (gate.Criterion, error) {
	c, err := newRate(s, window.BadKind)
	if err != nil {
		return nil, err
	}
	return &mismatch{*c.(*rate)}, nil
}

// Applies implements gate.Criterion: there are comparisons only while a stage mirrors.
func (m *mismatch) Applies(stage int, s gate.Stage) bool {
	return s.Mirror > 0 && (len(m.stages) == 0 || slices.Contains(m.stages, stage))
}

// Judge implements gate.Criterion.
func (m *mismatch) Judge(q gate.Question) gate.Finding {
	if q.Mirror == nil {
		return m.finding("points")
	}
	q.View, q.Frozen = q.Mirror, nil
	return m.rate.Judge(q)
}
