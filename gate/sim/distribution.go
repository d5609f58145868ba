package sim

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"serin/gate"
	"serin/router"
)

// Summary is what became of many rollouts of one policy in one world.
type Summary struct {
	Runs, Promoted, RolledBack, Held int
	Reached                          int                   // runs whose canary got the last stage's weight at some time
	ReachedAfter                     Spread[time.Duration] // how long those took
	Left                             int                   // runs whose canary got more users than its first ones
	Duration                         Spread[time.Duration] // of the runs that ended before the horizon
	RollbackAfter                    Spread[time.Duration] // of those that were rolled back
	CanaryRequests, FailedRequests   Spread[uint64]        // of all runs
	HeldAt                           map[router.Weight]int // where the held ones stood
	Reasons                          map[gate.Reason]int   // runs that held for a reason at some time
}

// Spread is the median, the ninth decile and the mean.
type Spread[T cmp.Ordered] struct {
	Median, P90 T
	Mean        float64
	all         []T // ascending
}

// Distribution plays runs rollouts of p in w, with seeds counted from seed, on all cores, and waits for them. The same
// arguments give the same answer.
func Distribution(p *gate.Policy, w World, runs int, seed uint64) Summary {
	return summarize(many(runs, func(i int) Outcome { return Run(p, w, seed+uint64(i)) }))
}

// many calls f for 0..n-1 on all cores.
func many(n int, f func(i int) Outcome) []Outcome {
	out := make([]Outcome, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				out[i] = f(i)
			}
		})
	}
	wg.Wait()
	return out
}

func summarize(all []Outcome) Summary {
	s := Summary{Runs: len(all), HeldAt: map[router.Weight]int{}, Reasons: map[gate.Reason]int{}}
	var ends, reached, reverted []time.Duration
	var requests, failed []uint64
	for _, o := range all {
		switch {
		case o.Promoted:
			s.Promoted++
		case o.RolledBack:
			s.RolledBack++
			reverted = append(reverted, o.Duration)
		default:
			s.Held++
			s.HeldAt[o.HeldAt]++
		}
		if o.Promoted || o.RolledBack {
			ends = append(ends, o.Duration)
		}
		if o.Reached > 0 {
			reached = append(reached, o.Reached)
		}
		if o.Widest > 0 && o.Widest > o.First {
			s.Left++
		}
		for _, r := range o.Reasons {
			s.Reasons[r]++
		}
		requests, failed = append(requests, o.CanaryRequests), append(failed, o.FailedRequests)
	}
	s.RollbackAfter = spread(reverted)
	s.Reached, s.ReachedAfter = len(reached), spread(reached)
	s.Duration, s.CanaryRequests, s.FailedRequests = spread(ends), spread(requests), spread(failed)
	return s
}

func spread[T time.Duration | uint64](values []T) Spread[T] {
	if len(values) == 0 {
		return Spread[T]{}
	}
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	n := len(values)
	return Spread[T]{Median: values[(n-1)/2], P90: values[n*9/10], Mean: sum / float64(n), all: values}
}
