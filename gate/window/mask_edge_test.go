package window

import (
	"testing"
	"time"
)

// A bucket is noisy with more than 4 n p + 3 errors: here 4 of the expected one, and 3.
func TestHistory_Freeze_AtTheEdge(t *testing.T) {
	t.Parallel()
	var h History
	h.Add(time.Unix(0, 0), &Snapshot{Users: usersOf(func(ns, xs []uint32) {
		for b := range ns {
			ns[b], xs[b] = 100, 1
		}
		xs[1], xs[2] = 8, 7
		ns[3], xs[3] = 0, 0
		ns[4], xs[4] = 1, 1
	})})
	m := h.Freeze()
	if !m.Has(1) || m.Has(2) || m.Count() != 1 {
		t.Errorf("8 errors where one is expected: masked %v; 7: masked %v; %d in all", m.Has(1), m.Has(2), m.Count())
	}
}
