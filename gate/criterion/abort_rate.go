package criterion

import (
	"serin/gate"
	"serin/gate/window"
)

// newAbortRate judges clients that went away before the answer, among the judged requests and themselves.
func newAbortRate(s Spec) (gate.Criterion, error) { return newRate(s, window.AbortKind) }
