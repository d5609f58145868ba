package window

import "time"

// Table is all that the history knows: the last 15 to 30 minutes before its newest reading.
func (h *History) Table() *Snapshot { return h.sum() }

// Forget drops what was collected, not the newest reading.
func (h *History) Forget() { h.halves = [2]*Snapshot{} }

// Halves are the two halves as they are now, and how long ago the newer one began. They share nothing with h that changes.
func (h *History) Halves(now time.Time) (halves [2]*Snapshot, age time.Duration) {
	halves[0] = h.halves[0]
	if h.halves[1] == nil {
		return halves, 0
	}
	halves[1] = h.halves[1].Clone()
	return halves, now.Sub(h.began)
}

// HistoryOf goes on with saved halves; readings count from zero. It keeps them.
func HistoryOf(halves [2]*Snapshot, age time.Duration, now time.Time) History {
	return History{began: now.Add(-age), halves: halves}
}

// Without takes the mask's buckets out of the outcomes, as far as the buckets tell: errors from among the errors, the rest from
// among the rest, each in proportion. Latencies stay. It needs Users.
func (s *Snapshot) Without(mask *Mask) {
	if mask == nil || s.Users == nil || s.Users[All] == nil {
		return
	}
	var n, x uint64
	for b, c := range s.Users[All] {
		if !mask.Has(uint16(b)) {
			continue
		}
		n += uint64(c)
		if b < len(s.Users[BadKind]) {
			x += uint64(s.Users[BadKind][b])
		}
	}
	bad, judged := s.Bad(), s.Judged()
	less(&s.Outcomes, x, bad, Outcome.Bad)
	less(&s.Outcomes, n-min(x, n), judged-bad, func(o Outcome) bool { return o.Judged() && !o.Bad() })
}

// less takes n of the all outcomes that are in a set.
func less(outcomes *[Outcomes]uint64, n, all uint64, in func(Outcome) bool) {
	if all == 0 {
		return
	}
	n = min(n, all)
	for o, c := range outcomes {
		if in(Outcome(o)) {
			outcomes[o] = c - c*n/all
		}
	}
}
