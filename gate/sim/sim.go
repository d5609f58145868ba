// Package sim plays rollouts in virtual time: worlds of made-up traffic drive the same gate.Step and window.Tracker that
// run in production, so that what the gate promises can be measured. It is pure: a seed decides everything, nothing
// sleeps, and traffic is drawn as counts.
//
//	World -> traffic (counts of 5 s) -> window.Tracker -> View -> gate.Step -> weight -> traffic ...
//
// Run plays one rollout, Distribution many. TestBars holds worlds (worlds_test.go) against the bars they must clear, with
// the judgement rules in common use beside ours (rules_test.go): a measured advantage, not a claimed one.
//
// Arrivals are Poisson, in total and for every user, and split exactly: bad requests are drawn as a stream of their own.
// Each user is one bucket's, as in the router; a rollout is preceded by half an hour of stable traffic, from which the
// mask is frozen as in production.
package sim

import (
	"time"

	"serin/gate/window"
)

// World is what the traffic is like. The zero value of every field but RPS is a plain world without that trait.
type World struct {
	RPS         float64       // requests per second, both arms together
	StableError float64       // stable's share of 5xx, 0..1
	CanaryError float64       // the canary's
	Onset       time.Duration // the canary errs and is slow like stable until then; 0: from the start
	Users       int           // users with equal traffic; 0: one in each bucket
	ICC         float64       // intra-class correlation of errors within users, 0..1
	Heavy       Heavy         // one more user, with traffic of its own
	Latency     Latency       // zero: no latencies are drawn
	Outage      Outage        // both arms fail for a while
	Swing       Swing         // traffic and errors of both arms come and go
	Hang        Hang          // the canary does not answer
	Horizon     time.Duration // when to stop looking; default 6h
	Tick        time.Duration // time between checks; default 5s
}

// Heavy is one user with Share of the traffic that fails with probability Error on either arm.
type Heavy struct {
	Share, Error float64
	Known        bool // it was there before the rollout began
	OnCanary     bool // its bucket is among the first percent; else anywhere
}

// Latency is lognormal on both arms.
type Latency struct {
	Median  time.Duration
	Sigma   float64       // of the logarithm; p95/p50 is exp(1.645 sigma)
	Slower  float64       // the canary's factor; 0 is 1
	Cold    float64       // the canary's further factor at its first request, falling to 1 over ColdFor; 0: none
	ColdFor time.Duration // of the attempt, not of the stage
}

// Outage adds Error to the error probability of both arms, from At on, for a time of For.
type Outage struct {
	At, For time.Duration
	Error   float64
}

// Swing multiplies traffic and errors of both arms by 1 + Share sin(2 pi t / Period).
type Swing struct {
	Share  float64
	Period time.Duration
}

// Hang is that the canary never answers a Share of its requests: they end after After, as a timeout, or where the clients
// have no Patience for that, when they go away.
type Hang struct {
	Share           float64
	After, Patience time.Duration
}

// ends is how long a hanging request takes, and as what it ends.
func (h Hang) ends() (time.Duration, window.Outcome) {
	if h.Patience > 0 && h.Patience < h.After {
		return h.Patience, window.Abort
	}
	return h.After, window.Timeout
}

// kind is what users without an answer are counted as.
func (h Hang) kind() window.Kind {
	if _, as := h.ends(); as == window.Abort {
		return window.AbortKind
	}
	return window.TimeoutKind
}

const (
	defaultHorizon = 6 * time.Hour
	defaultTick    = 5 * time.Second
	// prelude is the stable traffic before the rollout that the mask is made of.
	prelude = 30 * time.Minute
)

func (w World) horizon() time.Duration {
	if w.Horizon <= 0 {
		return defaultHorizon
	}
	return w.Horizon
}

func (w World) tick() time.Duration {
	if w.Tick <= 0 {
		return defaultTick
	}
	return w.Tick
}
