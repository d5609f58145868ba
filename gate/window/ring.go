package window

import "time"

// Lengths of the rolling windows, and how often a reading is kept for them.
const (
	Short     = 60 * time.Second
	Long      = 300 * time.Second
	keepEvery = 5 * time.Second
	keepSlack = 500 * time.Millisecond // ticks come early and late
)

// crowdEvery is the least time between two sweeps over the buckets: a tick of 1 s that comes early, after a late one even
// very early, must still find the worst bucket of its own reading, or what one user did since would count as everybody's.
const crowdEvery = 200 * time.Millisecond

// TrackerOptions of a Tracker. The zero value has no warm-up, no mask and expects a reading every 5 s.
type TrackerOptions struct {
	Plain  time.Duration // length of the plain judge's window (View.Plain); 0: none
	Warmup time.Duration // what is left of it (Tracker.WarmupLeft of the step before); latency before its end is left out
	Mask   *Mask         // the meters' mask: its buckets are no evidence
	Before Counts        // stable before the rollout (History.Before); N = 0: unknown
	Every  time.Duration // expected time between readings, default 5s; a gap of more than three drops the windows
}

// Tracker turns one step's cumulative readings into Views. It is pure: its clock is the now it is given, of which only
// differences count. One goroutine owns it. Its state is JSON, for a restart in mid-step: the windows start anew then, the
// rest goes on, provided that the readings go on too (a saved base with the live counts added).
type Tracker struct {
	opts    TrackerOptions
	last    time.Time // of the newest reading; zero: none yet
	now     pair      // the newest reading
	ring    []pair    // older readings, oldest first, about keepEvery apart, beyond Long a sixtieth of Plain
	swept   time.Duration
	unswept bool // something was counted since the last sweep
	state   trackerState
}

// pair is one reading of both arms, without users. Snapshots are shared by the pairs between which nothing was counted, and
// never changed.
type pair struct {
	at             time.Duration // since the step's evidence began
	stable, canary *Snapshot
}

// nothing is the reading at a step's beginning.
func nothing() pair { return pair{stable: new(Snapshot), canary: new(Snapshot)} }

// kept is last when s counts no more than it, else a copy of s without users.
func kept(s, last *Snapshot) *Snapshot {
	if last != nil && s.Total() == last.Total() {
		return last
	}
	c := *s
	c.Users = nil
	return &c
}

// trackerState is what a restart must not lose.
type trackerState struct {
	Elapsed time.Duration `json:"elapsed"`
	Flowing bool          `json:"flowing"` // the canary has had a request
	Warmed  time.Duration `json:"warmed"`  // since its first
	Warm    bool          `json:"warm"`    // the warm-up is over
	Stable  *Snapshot     `json:"warm_stable,omitempty"`
	Canary  *Snapshot     `json:"warm_canary,omitempty"` // the readings at its end; nil: it never was
	WarmAt  time.Duration `json:"warm_at"`
	Crowds  [Kinds]Crowd  `json:"crowds"`
	Points  []point       `json:"points"` // effective canary requests over time
}

// point is how much independent evidence there was at a time.
type point struct {
	At        time.Duration `json:"at"`
	Effective float64       `json:"effective"`
}

// NewTracker begins a step: the first Add is its time 0.
func NewTracker(o TrackerOptions) *Tracker {
	if o.Every <= 0 {
		o.Every = keepEvery
	}
	t := &Tracker{opts: o}
	t.state.Warm = o.Warmup <= 0
	for k := range t.state.Crowds {
		t.state.Crowds[k].DesignEffect = 1
	}
	return t
}

// Add takes a reading of both arms, cumulative since the step began, at now. Readings with Users refresh the crowds, at
// most every crowdEvery; without, the last ones stay. Neither snapshot is kept or changed.
func (t *Tracker) Add(now time.Time, stable, canary *Snapshot) {
	t.advance(now)
	was := t.now
	t.now = pair{at: t.state.Elapsed, stable: kept(stable, was.stable), canary: kept(canary, was.canary)}
	t.warm()
	t.keep()
	t.unswept = t.unswept || t.now.stable != was.stable || t.now.canary != was.canary
	if t.unswept && stable.Users != nil && canary.Users != nil && (t.swept == 0 || t.state.Elapsed-t.swept >= crowdEvery) {
		t.unswept = false
		t.sweep(stable.Users, canary.Users)
	}
}

// advance moves the step's clock; the windows are dropped when it jumps, and empty at the first reading of all but the
// step's own beginning, from which everything counts.
func (t *Tracker) advance(now time.Time) {
	if t.last.IsZero() {
		t.last = now
		if t.state.Elapsed == 0 {
			t.ring = append(t.ring, nothing())
		}
		return
	}
	gap := max(now.Sub(t.last), 0)
	t.last = now
	if gap > 3*t.opts.Every {
		t.ring = t.ring[:0]
	}
	t.state.Elapsed += gap
	if t.state.Flowing {
		t.state.Warmed += gap
	}
}

// warm notes the canary's first request and, Warmup later, what is not to count for latency.
func (t *Tracker) warm() {
	t.state.Flowing = t.state.Flowing || t.now.canary.Total() > 0
	if t.state.Warm || t.state.Warmed < t.opts.Warmup || !t.state.Flowing {
		return
	}
	t.state.Warm, t.state.WarmAt = true, t.state.Elapsed
	t.state.Stable, t.state.Canary = timesOf(t.now.stable), timesOf(t.now.canary)
}

func timesOf(s *Snapshot) *Snapshot {
	return &Snapshot{Latency: s.Latency, Aborts: s.Aborts, Seconds: s.Seconds}
}

// keep puts the newest reading into the ring when it is time.
func (t *Tracker) keep() {
	if n := len(t.ring); n > 0 && t.now.at-t.ring[n-1].at < keepEvery-keepSlack {
		return
	}
	t.prune()
	t.ring = append(t.ring, t.now)
}

// prune takes out of the ring what no window reaches any more, and what lies too dense beyond Long.
func (t *Tracker) prune() {
	left := t.ring[:0]
	for i, p := range t.ring {
		beyond := i+1 < len(t.ring) && t.now.at-t.ring[i+1].at >= max(Long, t.opts.Plain)
		dense := len(left) > 0 && i+1 < len(t.ring) && t.now.at-t.ring[i+1].at >= Long &&
			t.ring[i+1].at-left[len(left)-1].at <= t.opts.Plain/60
		if !beyond && !dense {
			left = append(left, p)
		}
	}
	clear(t.ring[len(left):])
	t.ring = left
}

func (t *Tracker) sweep(stable, canary *Users) {
	t.swept = max(t.state.Elapsed, 1)
	for k := BadKind; k < Kinds; k++ {
		switch {
		case k == BadKind || len(stable[k]) > 0 || len(canary[k]) > 0:
			t.state.Crowds[k] = CrowdOf(k, stable, canary, t.opts.Mask)
		case stable[k] != nil || canary[k] != nil: // nothing counted yet: the same people without a mark
			t.state.Crowds[k] = t.state.Crowds[BadKind].unmarked()
		}
	}
	bad, active := &t.state.Crowds[BadKind], &t.state.Crowds[BadKind]
	if stable[AbortKind] != nil || canary[AbortKind] != nil {
		active = &t.state.Crowds[AbortKind] // who got no answer is there too
	}
	t.state.Crowds[All] = active.unmarked()
	t.state.Crowds[All].HeaviestShare = bad.HeaviestShare
	t.note()
}

// unmarked is a crowd of which nobody had what is counted.
func (c Crowd) unmarked() Crowd {
	return Crowd{DesignEffect: 1, HeaviestShare: c.HeaviestShare, ActiveStable: c.ActiveStable, ActiveCanary: c.ActiveCanary}
}

// note remembers how much independent evidence there is now, at times 10 % apart.
func (t *Tracker) note() {
	n := len(t.state.Points)
	if n > 0 && t.state.Elapsed < t.state.Points[n-1].At+t.state.Points[n-1].At/10 {
		return
	}
	if t.state.Elapsed >= 2*keepEvery {
		t.state.Points = append(t.state.Points, point{t.state.Elapsed, t.effective()})
	}
}

func (t *Tracker) effective() float64 {
	return float64(t.now.canary.Judged()) / t.state.Crowds[BadKind].DesignEffect
}
