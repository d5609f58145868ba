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

// Two errors beside the worst bucket's say nothing of scatter, three do.
func TestCrowd_DesignEffect_NeedsThreeErrorsBesideTheWorst(t *testing.T) {
	t.Parallel()
	for errors, want := range map[uint32]bool{2: false, 3: true} {
		u := usersOf(func(ns, xs []uint32) {
			for b := range 100 {
				ns[b] = 10
			}
			xs[0], xs[1] = 9, errors // all of one user
		})
		if got := CrowdOf(BadKind, nil, u, nil).DesignEffect > 1; got != want {
			t.Errorf("%d errors of one user beside the worst: scatter %v, want %v", errors, got, want)
		}
	}
}

// A half lasts fifteen minutes: what is older than two of them is forgotten.
func TestHistory_Halves_LastFifteenMinutes(t *testing.T) {
	t.Parallel()
	var h History
	now := time.Unix(0, 0)
	add := func(after time.Duration, n uint64) {
		s := &Snapshot{}
		s.Outcomes[Success] = n
		h.Add(now.Add(after), s)
	}
	add(0, 10)
	add(15*time.Minute-time.Second, 20)
	add(15*time.Minute, 30) // the second half begins
	if got := h.Before().N; got != 30 {
		t.Errorf("after 15 min: %v requests, want 30", got)
	}
	add(30*time.Minute-time.Second, 40)
	if got := h.Before().N; got != 40 {
		t.Errorf("before 30 min: %v requests, want all 40", got)
	}
	add(30*time.Minute, 50)
	if got := h.Before().N; got != 30 {
		t.Errorf("after 30 min: %v requests, want the 30 of the last two halves", got)
	}
}
