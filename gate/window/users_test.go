package window

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func usersOf(set func(n, x []uint32)) *Users {
	u := new(Users)
	u[All], u[BadKind] = make([]uint32, Buckets), make([]uint32, Buckets)
	set(u[All], u[BadKind])
	return u
}

// drawUsers gives each of the first count buckets n requests that fail with rate(b).
func drawUsers(r *rand.Rand, count, n int, rate func(b int) float64) *Users {
	return usersOf(func(ns, xs []uint32) {
		for b := range count {
			ns[b] = uint32(n)
			for range n {
				if r.Float64() < rate(b) {
					xs[b]++
				}
			}
		}
	})
}

func TestCrowd_IndependentUsers_HasNoDesignEffect(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	even := func(int) float64 { return .02 }
	c := CrowdOf(BadKind, drawUsers(r, 10000, 20, even), drawUsers(r, 100, 20, even), nil)
	if c.DesignEffect < 1 || c.DesignEffect > 1.25 {
		t.Errorf("design effect: got %v, want about 1", c.DesignEffect)
	}
	if c.ActiveStable != 10000 || c.ActiveCanary != 100 {
		t.Errorf("active: got %d and %d", c.ActiveStable, c.ActiveCanary)
	}
}

func TestCrowd_CorrelatedUsers_HasTheirDesignEffect(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	// one user in ten fails always at 10 %: ICC about .09; effect about 1 + 49*.0x
	lumpy := func(b int) float64 { return .2 * float64(b%10/9) }
	c := CrowdOf(BadKind, drawUsers(r, 2000, 50, lumpy), nil, nil)
	p := .02
	want := 1 + 49*(.2*.2*.1-p*p)/(p*(1-p))
	if math.Abs(c.DesignEffect-want) > .15*want {
		t.Errorf("design effect: got %v, want about %v", c.DesignEffect, want)
	}
}

func TestCrowd_MatchesTheFormulaDirectly(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	u := usersOf(func(ns, xs []uint32) {
		for b := range 500 {
			ns[b] = uint32(r.IntN(100))
			xs[b] = uint32(float64(ns[b]) * r.Float64() * .2)
		}
		ns[77], xs[77] = 900, 800 // worst
	})
	var n, x float64
	for b := range 500 {
		if b != 77 {
			n, x = n+float64(u[All][b]), x+float64(u[BadKind][b])
		}
	}
	p, scatter := x/n, 0.0
	for b := range 500 {
		if b != 77 {
			d := float64(u[BadKind][b]) - float64(u[All][b])*p
			scatter += d * d
		}
	}
	c := CrowdOf(BadKind, nil, u, nil)
	if want := scatter / (p * (1 - p) * n); math.Abs(c.DesignEffect-want) > 1e-9*want {
		t.Errorf("design effect: got %v, want %v", c.DesignEffect, want)
	}
	if c.WorstCanary != (Counts{800, 900}) || math.Abs(c.WorstShare-800/(x+800)) > 1e-12 {
		t.Errorf("worst: got %v with a share of %v", c.WorstCanary, c.WorstShare)
	}
}

func TestCrowd_MaskedBuckets_ArePeopleButNoEvidence(t *testing.T) {
	t.Parallel()
	mask := new(Mask)
	mask.Set(5)
	u := usersOf(func(ns, xs []uint32) {
		ns[5], xs[5] = 300, 200
		ns[6], xs[6] = 100, 2
		ns[7], xs[7] = 100, 1
	})
	c := CrowdOf(BadKind, nil, u, mask)
	if c.BadBuckets != 2 || c.WorstCanary != (Counts{2, 100}) || c.ActiveCanary != 2 {
		t.Errorf("got %+v", c)
	}
	if c.HeaviestShare != .6 {
		t.Errorf("heaviest: got %v, want .6 (masked traffic is traffic)", c.HeaviestShare)
	}
}

func TestCrowd_WithoutAnyError_IsActiveAllTheSame(t *testing.T) {
	t.Parallel()
	m := NewMeter(Options{Users: true})
	for i := range 300 {
		m.Record(0, uint16(i%3), Success, time.Millisecond)
	}
	var read, sum Snapshot
	m.Read(&read, true)
	sum.Add(&read) // as the control loop adds a saved base
	for name, s := range map[string]*Snapshot{"read": &read, "added": &sum} {
		c := CrowdOf(BadKind, nil, s.Users, nil)
		if c.ActiveCanary != 3 || c.BadBuckets != 0 || c.DesignEffect != 1 || c.HeaviestShare == 0 {
			t.Errorf("%s: got %+v, want 3 active buckets", name, c)
		}
	}
	tr := NewTracker(TrackerOptions{})
	tr.Add(time.Unix(0, 0), &Snapshot{Users: new(Users)}, &sum)
	if got := tr.View(time.Unix(0, 0)).Crowds[All].ActiveCanary; got != 3 {
		t.Errorf("tracker: got %d active buckets, want 3", got)
	}
}

func TestCrowd_FewRequests_SayNothingOfSkew(t *testing.T) {
	t.Parallel()
	u := usersOf(func(ns, _ []uint32) { ns[5] = 150 })
	if got := CrowdOf(BadKind, u, nil, nil).HeaviestShare; got != 0 {
		t.Errorf("got %v, want 0", got)
	}
	if got := CrowdOf(BadKind, nil, nil, nil); got.DesignEffect != 1 || got.BadBuckets != 0 {
		t.Errorf("nobody: got %+v", got)
	}
}

func TestHistory_NoisyUsers_AreMaskedWorstFirstUpToFivePercent(t *testing.T) {
	t.Parallel()
	var h History
	now := time.Unix(0, 0)
	u := usersOf(func(ns, xs []uint32) {
		for b := range Buckets {
			ns[b] = 10
		}
		ns[1], xs[1] = 3000, 1800 // 3 % of the traffic, worst
		ns[2], xs[2] = 2500, 1500 // would make more than 5 % together
		ns[3], xs[3] = 100, 50
		ns[4], xs[4] = 10, 3 // not above 4 n p + 3
	})
	h.Add(now, &Snapshot{Users: u})
	m := h.Freeze()
	if !m.Has(1) || m.Has(2) || !m.Has(3) || m.Has(4) || m.Count() != 2 {
		t.Errorf("got %d buckets: 1 %v, 2 %v, 3 %v, 4 %v", m.Count(), m.Has(1), m.Has(2), m.Has(3), m.Has(4))
	}
}

func TestHistory_OldHalves_AreForgotten(t *testing.T) {
	t.Parallel()
	var h History
	noisy := usersOf(func(ns, xs []uint32) {
		for b := range Buckets {
			ns[b] = 10
		}
		ns[1], xs[1] = 100, 60
	})
	s := &Snapshot{Users: noisy}
	s.Outcomes[Success], s.Outcomes[ServerError] = 100_030, 60
	at := time.Unix(0, 0)
	for range 50 { // the counters stand still from here on
		h.Add(at, s)
		if at.Sub(time.Unix(0, 0)) < half && !h.Freeze().Has(1) {
			t.Fatal("forgotten too early")
		}
		at = at.Add(time.Minute)
	}
	if h.Freeze() != nil || h.Before().N != 0 {
		t.Errorf("after 50 minutes: mask of %d, %v", h.Freeze().Count(), h.Before())
	}
	h.Rebase()
	h.Add(at, s)
	if got := h.Before(); got != (Counts{60, 100_090}) {
		t.Errorf("after new meters: got %v, want 60 of 100,090", got)
	}
}

func TestHistory_Empty_HasNoMask(t *testing.T) {
	t.Parallel()
	var h History
	if h.Freeze() != nil || h.Before() != (Counts{}) {
		t.Error("an empty history knows something")
	}
}

func TestMask_JSON_ComesBackAndRefusesNonsense(t *testing.T) {
	t.Parallel()
	m := new(Mask)
	for _, b := range []uint16{0, 63, 64, 9999, 10000, 65535} {
		m.Set(b)
	}
	b, err := json.Marshal(m)
	if err != nil || string(b) != "[0,63,64,9999]" {
		t.Fatalf("got %s, %v", b, err)
	}
	back := new(Mask)
	if err := json.Unmarshal(b, back); err != nil || *back != *m {
		t.Errorf("round trip: %v", err)
	}
	for _, raw := range []string{`[10000]`, `[-1]`, `{}`, `[1`} {
		if json.Unmarshal([]byte(raw), back) == nil || *back != *m {
			t.Errorf("%s: no error, or changed the mask", raw)
		}
	}
	var none *Mask
	if none.Has(1) || none.Count() != 0 {
		t.Error("no mask has buckets")
	}
}

func BenchmarkCrowdOf(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	s, c := drawUsers(r, 10000, 20, func(int) float64 { return .02 }), drawUsers(r, 2500, 20, func(int) float64 { return .02 })
	for b.Loop() {
		CrowdOf(BadKind, s, c, nil)
	}
}
