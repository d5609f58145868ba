package sim

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"serin/gate/window"
)

// traffic draws what both arms see, tick by tick.
type traffic struct {
	w     World
	dice  dice
	users []uint16                // the bucket of each user, ascending
	upTo  [window.Buckets + 1]int // users in buckets below
	risk  []float64               // each user's own error probability; nil: all alike
	sums  []float64               // running sums of risk, sums[i] of the users before i
	heavy uint16                  // the heavy user's bucket
	mask  *window.Mask
	first time.Duration // the canary's first traffic; < 0: none yet
	times map[float64]*alias
}

func newTraffic(w World, seed uint64) *traffic {
	t := &traffic{w: w, dice: newDice(seed, 0x5e51), first: -1, times: map[float64]*alias{}}
	t.settle()
	t.heavy = uint16(t.dice.below(window.Buckets))
	if w.Heavy.OnCanary {
		t.heavy = uint16(t.dice.below(window.Buckets / 100))
	}
	return t
}

// settle gives every user a bucket and, where users differ, an error probability: beta distributed, with the world's
// mean and intra-class correlation 1/(a+b+1).
func (t *traffic) settle() {
	n := t.w.Users
	if n <= 0 {
		n = window.Buckets
	}
	t.users = make([]uint16, n)
	for i := range t.users {
		t.users[i] = uint16(i % window.Buckets)
		if t.w.Users > 0 {
			t.users[i] = uint16(t.dice.below(window.Buckets))
		}
	}
	slices.SortFunc(t.users, cmp.Compare[uint16])
	for b := range t.upTo {
		t.upTo[b] = sort.Search(n, func(i int) bool { return int(t.users[i]) >= b })
	}
	if p := t.w.StableError; t.w.ICC > 0 && p > 0 && p < 1 {
		size := 1/min(t.w.ICC, .999) - 1
		t.risk, t.sums = make([]float64, n), make([]float64, n+1)
		for i := range t.risk {
			t.risk[i] = t.dice.beta(p*size, (1-p)*size)
			t.sums[i+1] = t.sums[i] + t.risk[i]
		}
	}
}

// before draws the stable traffic that precedes the rollout, freezes the mask of it and tells stable's rate.
func (t *traffic) before() (*window.Mask, window.Counts) {
	var h window.History
	var stable window.Snapshot
	stable.Users = newUsers()
	heavy := t.w.Heavy
	if !heavy.Known {
		t.w.Heavy.Share = 0
	}
	t.arm(&stable, -prelude, prelude, 0, len(t.users), false)
	t.whale(&stable, -prelude, prelude)
	t.w.Heavy = heavy
	h.Add(time.Unix(0, 0), &stable)
	t.mask = h.Freeze()
	return t.mask, h.Before()
}

func newUsers() *window.Users {
	u := new(window.Users)
	u[window.All], u[window.BadKind] = make([]uint32, window.Buckets), make([]uint32, window.Buckets)
	return u
}

// newUsers are the counters of a step, with who gets no answer where the world has some.
func (w World) newUsers() *window.Users {
	u := newUsers()
	if w.Hang.Share > 0 {
		u[w.Hang.kind()] = make([]uint32, window.Buckets)
	}
	return u
}

// tick adds the traffic from at to at+dt to both arms, while the canary has the buckets below weight.
func (t *traffic) tick(at, dt time.Duration, weight int, stable, canary *window.Snapshot) {
	if weight > 0 && t.first < 0 {
		t.first = at
	}
	k := t.upTo[weight]
	t.arm(stable, at, dt, k, len(t.users), false)
	t.arm(canary, at, dt, 0, k, true)
	if int(t.heavy) < weight {
		t.whale(canary, at, dt)
	} else {
		t.whale(stable, at, dt)
	}
}

// arm draws the requests of users lo..hi-1; who they were only where s keeps users.
func (t *traffic) arm(s *window.Snapshot, at, dt time.Duration, lo, hi int, canary bool) {
	if lo >= hi {
		return
	}
	each := t.rate(at) * (1 - t.w.Heavy.Share) * dt.Seconds() / float64(len(t.users))
	if h := t.w.Hang; canary && h.Share > 0 && at >= t.w.Onset {
		t.hang(s, at, each*h.Share, lo, hi)
		each *= 1 - h.Share
	}
	scale, extra := t.errors(at, canary)
	t.fail(s, each*scale, lo, hi, t.risk, t.w.StableError)
	t.fail(s, each*extra, lo, hi, nil, 1)
	good := t.good(s, each, scale, extra, lo, hi)
	if t.w.Latency.Median > 0 {
		t.time(s, good, t.slowness(at, canary))
	}
}

// rate is the requests per second of both arms.
func (t *traffic) rate(at time.Duration) float64 { return t.w.RPS * t.swing(at) }

func (t *traffic) swing(at time.Duration) float64 {
	if t.w.Swing.Period <= 0 {
		return 1
	}
	return max(0, 1+t.w.Swing.Share*math.Sin(2*math.Pi*at.Seconds()/t.w.Swing.Period.Seconds()))
}

// errors is what becomes of a user's own error probability p: scale*p + extra.
func (t *traffic) errors(at time.Duration, canary bool) (scale, extra float64) {
	scale = t.swing(at)
	if o := t.w.Outage; o.For > 0 && at >= o.At && at < o.At+o.For {
		extra = o.Error
	}
	if !canary || at < t.w.Onset {
		return scale, extra
	}
	if harm := t.w.CanaryError - t.w.StableError; harm >= 0 {
		return scale, min(extra+harm, 1)
	}
	return scale * t.w.CanaryError / t.w.StableError, extra
}

// fail draws the failed requests of users lo..hi-1 who each make a mean of each and fail with their own risk, or all with
// the same. Beyond a few for every user they are drawn user by user.
func (t *traffic) fail(s *window.Snapshot, each float64, lo, hi int, risk []float64, same float64) {
	sum := float64(hi-lo) * same
	if risk != nil {
		sum = t.sums[hi] - t.sums[lo]
	}
	if each*sum > few*float64(hi-lo) {
		for i := lo; i < hi; i++ {
			p := same
			if risk != nil {
				p = risk[i]
			}
			t.bad(s, t.users[i], t.dice.poisson(each*p))
		}
		return
	}
	for range t.dice.poisson(each * sum) {
		i := t.dice.below(hi - lo)
		if risk != nil {
			at := t.sums[lo] + t.dice.float()*sum
			i = min(sort.Search(hi-lo, func(i int) bool { return t.sums[lo+i+1] > at }), hi-lo-1)
		}
		t.bad(s, t.users[lo+i], 1)
	}
}

// few is how many requests a user makes in a tick before users are drawn one by one instead of requests.
const few = 4

func (t *traffic) bad(s *window.Snapshot, b uint16, n int) {
	if s.Users != nil {
		s.Users[window.All][b] += uint32(n)
		s.Users[window.BadKind][b] += uint32(n)
	}
	if t.mask.Has(b) {
		s.Masked[window.ServerError] += uint64(n)
	} else {
		s.Outcomes[window.ServerError] += uint64(n)
	}
}

// good draws the successful requests, and returns how many are evidence. Beyond a few for every user they are drawn user
// by user.
func (t *traffic) good(s *window.Snapshot, each, scale, extra float64, lo, hi int) int {
	evidence := 0
	take := func(b uint16, n int) {
		if s.Users != nil {
			s.Users[window.All][b] += uint32(n)
		}
		if t.mask.Has(b) {
			s.Masked[window.Success] += uint64(n)
			return
		}
		evidence += n
	}
	ok := func(i int) float64 {
		p := t.w.StableError
		if t.risk != nil {
			p = t.risk[i]
		}
		return max(0, 1-scale*p-extra)
	}
	switch {
	case s.Users == nil && t.mask == nil && t.risk == nil:
		evidence = t.dice.poisson(each * float64(hi-lo) * ok(lo))
	case each > few:
		for i := lo; i < hi; i++ {
			take(t.users[i], t.dice.poisson(each*ok(i)))
		}
	case t.risk != nil:
		for range t.dice.poisson(each * float64(hi-lo)) {
			if i := lo + t.dice.below(hi-lo); t.dice.float() < ok(i) {
				take(t.users[i], 1)
			}
		}
	default:
		for range t.dice.poisson(each * float64(hi-lo) * ok(lo)) {
			take(t.users[lo+t.dice.below(hi-lo)], 1)
		}
	}
	s.Outcomes[window.Success] += uint64(evidence)
	return evidence
}

// hang draws the requests that ended now without an answer.
func (t *traffic) hang(s *window.Snapshot, at time.Duration, each float64, lo, hi int) {
	after, as := t.w.Hang.ends()
	if at < max(t.w.Onset, t.first)+after {
		return // under way
	}
	for range t.dice.poisson(each * float64(hi-lo)) {
		b := t.users[lo+t.dice.below(hi-lo)]
		if s.Users != nil {
			s.Users[t.w.Hang.kind()][b]++
			if as.Judged() {
				s.Users[window.All][b]++
				s.Users[window.BadKind][b]++
			}
		}
		switch {
		case t.mask.Has(b):
			s.Masked[as]++
			continue
		case as.Timed():
			s.Latency[window.BinOf(after)]++
		default:
			s.Aborts[window.BinOf(after)]++
		}
		s.Outcomes[as]++
	}
}

// whale draws the heavy user's requests. They have no latency of their own: the gate's is the others'.
func (t *traffic) whale(s *window.Snapshot, at, dt time.Duration) {
	each := t.rate(at) * t.w.Heavy.Share * dt.Seconds()
	t.bad(s, t.heavy, t.dice.poisson(each*t.w.Heavy.Error))
	n := t.dice.poisson(each * (1 - t.w.Heavy.Error))
	if s.Users != nil {
		s.Users[window.All][t.heavy] += uint32(n)
	}
	if t.mask.Has(t.heavy) {
		s.Masked[window.Success] += uint64(n)
	} else {
		s.Outcomes[window.Success] += uint64(n)
	}
}

// slowness is the factor on an arm's latencies.
func (t *traffic) slowness(at time.Duration, canary bool) float64 {
	if !canary {
		return 1
	}
	l, f := t.w.Latency, 1.0
	if l.Slower > 0 && at >= t.w.Onset {
		f = l.Slower
	}
	if since := at - t.first; l.Cold > 1 && since < l.ColdFor {
		f *= 1 + (l.Cold-1)*(1-since.Seconds()/l.ColdFor.Seconds())
	}
	return f
}

// time draws n latencies.
func (t *traffic) time(s *window.Snapshot, n int, slowness float64) {
	a := t.times[slowness]
	if a == nil {
		a = newAlias(lognormal(t.w.Latency, slowness))
		t.times[slowness] = a
	}
	a.drawMany(t.dice, n, s.Latency[:])
}

// lognormal is the share of each bin.
func lognormal(l Latency, slowness float64) []float64 {
	out, below := make([]float64, window.Bins), 0.0
	for i := range out {
		upTo := 1.0
		if i < window.Bins-1 {
			z := math.Log(window.Edge(i).Seconds()/(l.Median.Seconds()*slowness)) / l.Sigma
			upTo = math.Erfc(-z/math.Sqrt2) / 2
		}
		out[i], below = max(upTo-below, 0), upTo
	}
	return out
}
