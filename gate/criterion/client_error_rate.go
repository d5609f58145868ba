package criterion

import (
	"serin/gate"
	"serin/gate/window"
)

// newClientErrorRate judges 4xx but 429 among the judged requests: no error of the arm, but a sudden share of them is
// broken authentication or a lost route.
func newClientErrorRate(s Spec) (gate.Criterion, error) { return newRate(s, window.ClientKind) }
