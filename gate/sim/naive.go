package sim

import (
	"math"
	"slices"
	"time"

	"serin/gate/window"
	"serin/router"
)

// rule is a judgement in common use, for comparison: it sees the current stage minute by minute and says whether the
// canary is bad now. It keeps no state but what the minutes are.
type rule struct {
	name string
	doc  string
	// bad looks at the stage's minutes so far, the newest last; limit is the world's healthy error rate, known to the
	// operator. strikes is how many bad looks of the rollout it takes to revert; fewer only delay the next stage.
	bad     func(stage []minute, limit float64) bool
	strikes int
}

// minute is what both arms saw in one minute.
type minute struct{ stable, canary window.Counts }

// naiveRules are four, each as its tool has it by default or in its examples, and set up kindly: their operator knows the
// healthy error rate.
func naiveRules() []rule {
	return []rule{
		{"fixed limit", "canary's last minute above the healthy rate + 2 points, five times (Flagger)", fixedLimit, 5},
		{"ratio", "canary above twice stable over the last five minutes, once (Argo Rollouts with a ratio query)", ratio, 1},
		{"z-test", "two-proportion z-test of the stage so far, one-sided 5 %, looked at every minute", peekedZ, 1},
		{"Mann-Whitney", "minutes' error rates of both arms, one-sided 1 %, every five minutes (Kayenta)", mannWhitney, 1},
	}
}

func fixedLimit(stage []minute, healthy float64) bool {
	last := stage[len(stage)-1].canary
	return last.N > 0 && last.Rate() > healthy+.02
}

func ratio(stage []minute, _ float64) bool {
	s, c := sum(stage[max(0, len(stage)-5):])
	return c.N > 0 && c.Rate() > 2*s.Rate()
}

func peekedZ(stage []minute, _ float64) bool {
	s, c := sum(stage)
	if c.N == 0 || s.N == 0 {
		return false
	}
	p := (s.X + c.X) / (s.N + c.N)
	return (c.Rate()-s.Rate())/math.Sqrt(p*(1-p)*(1/s.N+1/c.N)) > 1.645
}

func sum(stage []minute) (s, c window.Counts) {
	for _, m := range stage {
		s.X, s.N = s.X+m.stable.X, s.N+m.stable.N
		c.X, c.N = c.X+m.canary.X, c.N+m.canary.N
	}
	return s, c
}

// mannWhitney is the rank-sum test by its normal approximation with the correction for ties.
func mannWhitney(stage []minute, _ float64) bool {
	if len(stage)%5 != 0 {
		return false
	}
	type sample struct {
		rate   float64
		canary bool
	}
	var all []sample
	var n, m float64
	for _, x := range stage {
		if x.stable.N > 0 {
			all, m = append(all, sample{x.stable.Rate(), false}), m+1
		}
		if x.canary.N > 0 {
			all, n = append(all, sample{x.canary.Rate(), true}), n+1
		}
	}
	if n == 0 || m == 0 {
		return false
	}
	slices.SortFunc(all, func(a, b sample) int {
		switch {
		case a.rate < b.rate:
			return -1
		case a.rate > b.rate:
			return 1
		}
		return 0
	})
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].rate == all[i].rate {
			j++
		}
		size := float64(j - i)
		for _, s := range all[i:j] {
			if s.canary {
				ranks += float64(i) + (size+1)/2
			}
		}
		ties += size*size*size - size
		i = j
	}
	u, total := ranks-n*(n+1)/2, n+m
	spread := math.Sqrt(n * m / 12 * (total + 1 - ties/(total*(total-1))))
	return spread > 0 && (u-n*m/2-.5)/spread > 2.326
}

// runNaive plays a rollout of the bars' ladder under a naive rule: a look every minute, the next stage after every
// least time unless the last look was bad.
func runNaive(r rule, w World, seed uint64) Outcome {
	t := newTraffic(w, seed) // without a prelude: nobody else has a mask
	var o Outcome
	strikes := 0
	for _, weight := range []router.Weight{100, 500, 2500} {
		var stage []minute
		for pass := false; !pass; {
			if o.Duration >= w.horizon() {
				o.HeldAt = weight
				return o
			}
			m := t.minute(o.Duration, int(weight))
			o.Duration += time.Minute
			stage = append(stage, m)
			o.CanaryRequests += uint64(m.canary.N)
			o.FailedRequests += uint64(m.canary.X)
			bad := r.bad(stage, w.StableError)
			if bad {
				strikes++
			}
			if strikes >= r.strikes {
				o.RolledBack = true
				return o
			}
			pass = !bad && len(stage) >= int(barsEvery/time.Minute)
		}
	}
	o.Promoted, o.Reached = true, o.Duration
	return o
}

func (t *traffic) minute(at time.Duration, weight int) minute {
	var stable, canary window.Snapshot
	for end := at + time.Minute; at < end; at += t.w.tick() {
		t.tick(at, t.w.tick(), weight, &stable, &canary)
	}
	return minute{stable.Counts(window.BadKind), canary.Counts(window.BadKind)}
}
