package criterion

import (
	"serin/gate"
	"serin/gate/window"
)

// newTimeoutRate judges requests without a response head in time, among the judged ones.
func newTimeoutRate(s Spec) (gate.Criterion, error) { return newRate(s, window.TimeoutKind) }
