package window

import (
	"cmp"
	"slices"
	"time"
)

// half is how long a History collects before it begins another half and forgets the oldest.
const half = 15 * time.Minute

// maskShare is the most traffic a mask may take out of evidence.
const maskShare = .05

// History knows how stable's users fared while no rollout was running: the last 15 to 30 minutes, in two halves. It is
// pure and has one owner.
type History struct {
	began  time.Time // the newer half
	last   *Snapshot // newest cumulative reading; nil: the next one counts from zero
	halves [2]*Snapshot
}

// Add takes a cumulative reading of stable, with users, at now. Call it only while no rollout runs.
func (h *History) Add(now time.Time, stable *Snapshot) {
	if h.halves[1] == nil || now.Sub(h.began) >= half {
		h.halves[0], h.halves[1] = h.halves[1], new(Snapshot)
		h.began = now
	}
	h.halves[1].Add(stable)
	if h.last != nil {
		h.halves[1].Sub(h.last)
	}
	h.last = stable.Clone()
}

// Rebase says that the meters were replaced: the next reading counts from zero.
func (h *History) Rebase() { h.last = nil }

// Before is stable's error rate as the history knows it; N = 0 without any.
func (h *History) Before() Counts { return h.sum().Counts(BadKind) }

// Freeze is the mask for the rollout that begins now: the buckets b with x_b >= 3 and x_b > 4 n_b p + 3, those with most
// errors first, up to 5 % of the traffic (a bucket too heavy for what is left is passed over). nil when there is none.
// Membership predates the canary, so it cannot favour an arm.
func (h *History) Freeze() *Mask {
	s := h.sum()
	if s.Users == nil || s.Users[All] == nil || s.Users[BadKind] == nil {
		return nil
	}
	ns, xs := s.Users[All], s.Users[BadKind]
	var total, bad float64
	for b := range xs {
		total, bad = total+float64(ns[b]), bad+float64(xs[b])
	}
	var noisy []int
	for b, x := range xs {
		if x >= 3 && float64(x) > 4*float64(ns[b])*bad/total+3 {
			noisy = append(noisy, b)
		}
	}
	slices.SortStableFunc(noisy, func(a, b int) int { return cmp.Compare(xs[b], xs[a]) })
	m, room := new(Mask), maskShare*total
	for _, b := range noisy {
		if n := float64(ns[b]); n <= room {
			m.Set(uint16(b))
			room -= n
		}
	}
	if m.Count() == 0 {
		return nil
	}
	return m
}

func (h *History) sum() *Snapshot {
	s := new(Snapshot)
	for _, part := range h.halves {
		if part != nil {
			s.Add(part)
		}
	}
	return s
}
