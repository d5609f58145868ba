package control

import (
	"maps"

	"serin/gate"
	"serin/gate/journal"
)

// count takes a decision that was done into its rollout's sums. They are kept by name, so that a rollout which a reload removes
// and another brings back goes on from where it was. Statuses share the map: it is replaced, never changed.
func (l *Loop) count(e *journal.Entry) {
	counts := maps.Clone(l.decided[e.Rollout])
	if counts == nil {
		counts = map[gate.Action]uint64{}
	}
	counts[e.Decision.Action]++
	l.decided[e.Rollout] = counts
}
