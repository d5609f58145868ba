package gate_test

import (
	"math"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// arm is one side of a story's world: how often it fails and how slow it is.
type arm struct {
	errors, timeouts, refused float64 // shares of its requests
	lat                       time.Duration
}

// world makes the views of a story without any chance in it: every rate yields its expected counts.
type world struct {
	rps      float64
	stable   arm
	canary   arm
	heavy    float64 // one bucket's share of all requests
	bucket   float64 // one bucket's share of the canary's errors; 0: independent users
	observed float64 // the canary's share of requests; < 0: its weight
	before   float64 // stable's error rate before the rollout
	warmup   time.Duration
	ring     ring

	elapsed  time.Duration
	fraction [2][4]float64  // requests owed, by outcome
	slots    [2][20]float64 // latencies owed, by part of the distribution
	now      [2]window.Snapshot
	past     []reading
	effect   float64
}

// remembered is how many readings, one a second, the longest window needs.
const remembered = 301

type reading struct {
	at   time.Duration
	arms [2]window.Snapshot
}

func newWorld() *world {
	w := &world{rps: 200, observed: -1, before: .01, effect: 1}
	w.stable, w.canary = arm{errors: .01, lat: 50 * time.Millisecond}, arm{errors: .01, lat: 50 * time.Millisecond}
	return w
}

// renew begins new meters, as a new step does.
func (w *world) renew() {
	w.elapsed, w.past = 0, nil
	w.now, w.fraction, w.slots = [2]window.Snapshot{}, [2][4]float64{}, [2][20]float64{}
}

// spend lets d pass at the canary's share of the requests.
func (w *world) spend(d time.Duration, share float64) {
	if w.observed >= 0 {
		share = w.observed
	}
	w.elapsed += d
	n := w.rps * d.Seconds()
	w.serve(0, w.stable, n*(1-share))
	w.serve(1, w.canary, n*share)
	if len(w.past) == 2*remembered {
		w.past = w.past[:copy(w.past, w.past[remembered:])]
	}
	w.past = append(w.past, reading{w.elapsed, w.now})
}

func (w *world) serve(i int, a arm, n float64) {
	if n <= 0 {
		return
	}
	s := &w.now[i]
	for j, part := range []struct {
		o     window.Outcome
		share float64
	}{
		{window.ServerError, a.errors}, {window.Timeout, a.timeouts}, {window.Unreachable, a.refused},
		{window.Success, 1 - a.errors - a.timeouts - a.refused},
	} {
		w.fraction[i][j] += n * part.share
		whole := math.Floor(w.fraction[i][j] + 1e-9)
		w.fraction[i][j] -= whole
		s.Outcomes[part.o] += uint64(whole)
	}
	if w.elapsed <= w.warmup {
		return
	}
	for k := range w.slots[i] { // twenty equal parts of a skewed distribution with the median lat
		w.slots[i][k] += n * (1 - a.errors - a.timeouts - a.refused) / 20
		whole := math.Floor(w.slots[i][k] + 1e-9)
		w.slots[i][k] -= whole
		factor := math.Exp(1.1 * (float64(k) - 9.5) / 10)
		s.Latency[window.BinOf(time.Duration(float64(a.lat)*factor))] += uint32(whole)
	}
}

// view is what a gate may look at now.
func (w *world) view() window.View {
	v := window.View{Elapsed: w.elapsed, Warm: w.elapsed > w.warmup, Before: window.Counts{X: w.before * 1e5, N: 1e5}}
	v.Full = w.span(w.elapsed)
	v.W300, v.W60, v.Recent = w.span(300*time.Second), w.span(60*time.Second), w.span(5*time.Second)
	total := float64(w.now[0].Judged() + w.now[1].Judged())
	for k := range v.Crowds {
		c := &v.Crowds[k]
		kind := window.Kind(k)
		st, ca := w.now[0].Counts(kind), w.now[1].Counts(kind)
		c.DesignEffect = w.effect
		c.WorstStable = window.Counts{X: min(st.X, 1), N: st.N / 1000}
		c.WorstCanary = window.Counts{X: min(ca.X, 1), N: ca.N / 100}
		c.BadBuckets, c.ActiveStable, c.ActiveCanary = int(min(ca.X, 100)), int(min(st.N, 1000)), int(min(ca.N, 100))
		if ca.X > 0 {
			c.WorstShare = c.WorstCanary.X / ca.X
		}
		if w.bucket > 0 {
			c.WorstShare, c.WorstCanary.X = w.bucket, w.bucket*ca.X
		}
		c.HeaviestShare = max(w.heavy, .001)
		if total < 200 {
			c.HeaviestShare = 0
		}
	}
	return v
}

func (w *world) span(length time.Duration) window.Span {
	s := window.Span{Length: min(length, w.elapsed), Stable: w.now[0], Canary: w.now[1]}
	if w.elapsed < length || w.elapsed == 0 {
		return s
	}
	s.OK = true
	from := w.elapsed - length
	for i := len(w.past) - 1; i >= 0; i-- {
		if w.past[i].at <= from {
			s.Stable.Sub(&w.past[i].arms[0])
			s.Canary.Sub(&w.past[i].arms[1])
			break
		}
	}
	return s
}

// seen is the tick's look at the world.
func (w *world) seen(s gate.State) gate.Seen {
	observed := w.observed
	if observed < 0 {
		observed = float64(s.Weight) / 10_000
	}
	return gate.Seen{
		View: w.view(), StableHealthy: true, CanaryHealthy: true, WindowOpen: true, JournalAvailable: true,
		ObservedWeight: observed,
	}
}
