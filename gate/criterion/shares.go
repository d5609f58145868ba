package criterion

import (
	"math"
	"time"

	"serin/gate"
	"serin/gate/evidence"
)

const (
	holdOdds    = 20          // a confirmed finding
	clearOdds   = 3           // below it a confirmed finding has left no trace
	minRequests = 100         // canary requests before a pass
	minBuckets  = 3           // distinct canary buckets with an error before a fail
	passCap     = 5           // a gate without a rollback limit must exclude at most so many hold limits
	quietStart  = time.Minute // before it nobody is told that there is no traffic
	dominance   = 1. / 3      // a bucket with so much of the canary's errors dominates them
	rounding    = 1e-9        // of differences that are exactly a limit
	mostOdds    = 1e12        // shown; JSON has no infinity
)

var (
	ln20 = math.Log(holdOdds)
	ln3  = math.Log(clearOdds)
)

// span is which stretch of time a table is of.
type span uint8

const (
	fullSpan span = iota
	w300Span
	w60Span
)

var spans = [...]span{fullSpan, w300Span, w60Span}

// length is the window's W; 0 for the full step.
func (s span) length() time.Duration {
	switch s {
	case w300Span:
		return 300 * time.Second
	case w60Span:
		return 60 * time.Second
	case fullSpan:
	}
	return 0
}

// threshold is the evidence, in nats, that a fail needs in this span. The ladder's chance of a false rollback is shared
// by its crossings and failing gates, one half to the full span and a quarter to each window, there over its slots k
// since the step began as 1/(1+k)^2: the shares sum to less than one.
func (s span) threshold(q *gate.Question) float64 {
	kc := float64(max(q.Crossings, 1) * max(q.Failers, 1))
	if s == fullSpan {
		return math.Log(2 * kc / q.AlphaFail)
	}
	slot := math.Floor(float64(q.View.Elapsed) / float64(s.length()))
	return math.Log(4*kc/q.AlphaFail) + 2*math.Log(1+slot)
}

// Margin is the harm that must be refuted before a crossing that answers for a share of the users (0 to 1): as much as keeps
// the harm to all users within the hold limit, at most the rollback limit, at least the hold limit. roll is infinite where
// there is none; five hold limits take its place (gate.md, sections 2 and 3).
func Margin(hold, roll, share float64) float64 {
	if math.IsInf(roll, 1) {
		roll = passCap * hold
	}
	if share <= 0 {
		return roll
	}
	return min(roll, max(hold, hold/share))
}

// odds is evidence for people: 0 where there is none at all, finite, and without the noise of exp(log(20)).
func odds(nats float64) float64 {
	if nats == 0 || math.IsNaN(nats) {
		return 0
	}
	return math.Round(min(math.Exp(nats), mostOdds)*1e6) / 1e6
}

// fraction of the traffic that is the canary's, as the table shows it: it decides how fast evidence comes.
func fraction(t evidence.Table) float64 {
	if t.NC+t.NS <= 0 {
		return 0
	}
	return t.NC / (t.NC + t.NS)
}

// eta is the expected time until the pass has its evidence: n canary requests are had at perSecond, total are needed by
// plan, and the evidence so far (nats of need) corrects the plan once it means something. nil: not in sight.
func eta(n, total, perSecond, nats, need float64) *float64 {
	if !(perSecond > 0) || math.IsInf(total, 1) || math.IsNaN(total) {
		return nil
	}
	left := total - n
	if nats > .3*need {
		left = n * (need/nats - 1)
	}
	left = max(left, n/10, minRequests-n)
	seconds := left / perSecond
	if !(seconds < math.MaxInt64/1e9) {
		return nil
	}
	return &seconds
}

func count(x float64) uint64 {
	if !(x > 0) {
		return 0
	}
	return uint64(math.Round(x))
}
