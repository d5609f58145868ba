// Package window counts what both arms did. Counters only go up: a window is a subtraction of two readings, so
// one recording per request feeds the gate, the page and /metrics, and they cannot disagree.
//
//	request -> Meter.Record (wait-free) ... Meter.Read -> Snapshot -> Tracker.Add (readings over time) -> View
//
// A Meter belongs to one arm of one stage; a later stage has new meters, so late answers of an earlier stage fall
// out by themselves.
package window

import "time"

// Outcome says how one request ended, as classified once by proxy/classify.go. The zero value, Neutral, is evidence of
// nothing: doubt never counts against an arm.
type Outcome uint8

const (
	Neutral       Outcome = iota // serin's own doing (shed, limits) or the client's framing
	Informational                // 101: an upgrade, judged on its handshake
	Success                      // 2xx
	Redirect                     // 3xx
	ClientError                  // 4xx but 429: the client's fault, tracked
	Throttled                    // 429: bad, not timed
	ServerError                  // 5xx from upstream: bad, not timed
	Timeout                      // no response head in time: bad, timed at the timeout
	Unreachable                  // connect refused or timed out, TLS failure, no server left: bad, not timed
	Reset                        // connection lost or nonsense before a response head: bad, not timed
	Truncated                    // body cut by the upstream after the head: bad, not timed
	Abort                        // the client went away before the answer (499): neutral, its patience is kept
	Outcomes                     // number of outcomes
)

// The outcomes' properties as bit sets: Record asks for all three.
const (
	badSet     = 1<<Throttled | 1<<ServerError | 1<<Timeout | 1<<Unreachable | 1<<Reset | 1<<Truncated
	neutralSet = 1<<Neutral | 1<<Abort
	timedSet   = 1<<Informational | 1<<Success | 1<<Redirect | 1<<ClientError | 1<<Timeout
)

// Bad reports whether o counts as an error of the arm.
func (o Outcome) Bad() bool { return badSet>>o&1 != 0 }

// Judged reports whether o is in the denominator of the error rate.
func (o Outcome) Judged() bool { return o < Outcomes && neutralSet>>o&1 == 0 }

// Timed reports whether o's latency is evidence.
func (o Outcome) Timed() bool { return timedSet>>o&1 != 0 }

// Bins is the number of latency bins: 0.1 ms to 100 s, edges growing by Growth = 1.1^(1/5), so a bin's middle is at
// most 0.96 % off (gate.md, section 8). Bin i holds latencies in (Edge(i-1), Edge(i)]; the last takes all above.
const Bins = 725

// Hist is a latency histogram; counts only.
type Hist [Bins]uint32

// Snapshot is a cumulative reading of one meter. Value semantics but for Users, which Read fills when asked.
type Snapshot struct {
	Outcomes [Outcomes]uint64 // evidence, by outcome
	Masked   [Outcomes]uint64 // the same of masked buckets: shown, never evidence
	Latency  Hist             // timed outcomes, unmasked
	Aborts   Hist             // how long aborting clients waited
	Seconds  float64          // sum of the timed latencies
	Users    *Users           // per-bucket counts; nil where not kept or not asked for
}

// Kind names a per-bucket counter.
type Kind uint8

const (
	All        Kind = iota // judged requests
	BadKind                // errors
	ClientKind             // 4xx
	TimeoutKind
	AbortKind
	Kinds
)

// Users holds per-bucket counters, index [kind][bucket]; a kind nobody asked for is nil, one that counted nothing empty.
// Counters wrap: subtract modulo 2^32.
type Users [Kinds][]uint32

// Counts is n requests of which x were bad, real-valued since tables are divided by the design effect.
type Counts struct{ X, N float64 }

// Rate is x/n, 0 when n is 0.
func (c Counts) Rate() float64 {
	if c.N <= 0 {
		return 0
	}
	return c.X / c.N
}

// Span is what both arms saw over one stretch of time. Latency histograms leave the warm-up out; outcomes never do.
type Span struct {
	OK             bool          // false: the span does not exist yet (or was dropped after a suspension)
	Length         time.Duration // monotonic
	Stable, Canary Snapshot      // differences, Users nil
}

// Crowd is what the per-bucket counters of the current step say, for one Kind.
type Crowd struct {
	DesignEffect               float64 // >= 1; 1 with independent users
	WorstStable, WorstCanary   Counts  // the unmasked bucket with most bad requests, of each arm
	WorstShare                 float64 // that bucket's share of the canary's bad requests, 0..1
	BadBuckets                 int     // distinct canary buckets with a bad request
	HeaviestShare              float64 // largest share of both arms' requests one bucket carries (skewed keys); 0 below 200 requests
	ActiveStable, ActiveCanary int     // buckets with a request
}

// View is all a gate may look at at one tick: pure data.
type View struct {
	Elapsed         time.Duration // since the step's evidence began, in every phase
	Full, W300, W60 Span
	Recent          Span // outcomes of about the last 5 s: who answers at all
	Warm            bool // the warm-up is over (or there is none)
	Crowds          [Kinds]Crowd
	Before          Counts  // stable before the rollout began (sick test); N = 0: unknown
	EffectiveThen   float64 // nC/D at half of Elapsed, for saturated users; 0 unknown
	Plain           Span    // the plain judge's window; not OK: none asked for, or younger than it
}
