package criterion

import (
	"serin/gate"
	"serin/gate/window"
)

// newErrorRate judges window.Outcome.Bad among the judged requests.
func newErrorRate(s Spec) (gate.Criterion, error) { return newRate(s, window.BadKind) }
