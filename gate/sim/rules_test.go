package sim

import (
	"math"
	"slices"
	"time"

	"serin/gate/window"
	"serin/router"
)

// rule is a judgement in common use, for comparison: it sees the current stage minute by minute and says at each of its looks
// whether the canary is bad now. It keeps no state but what the minutes are.
type rule struct {
	name string
	doc  string
	// bad looks at the stage's minutes so far, the newest last; limit is the world's healthy error rate, known to the
	// operator.
	bad     func(stage []minute, healthy float64) bool
	every   int  // minutes from look to look, of a stage
	strikes int  // so many bad looks of the whole rollout revert it
	halts   bool // a bad look also delays the next stage
	late    bool // the look after the last strike reverts, not the strike itself
}

// minute is what both arms saw in one minute.
type minute struct{ stable, canary window.Counts }

// naiveRules are five, each as its tool does it by its documentation and code, and set up kindly: their operator knows the
// healthy error rate, and every stage has as many looks as serin's least time allows.
//
// Flagger (pkg/controller/scheduler.go): interval 1m, threshold 5, request-success-rate of the last minute at least the
// healthy rate less 2 points. A failed check halts the advance and counts, in total; no values are a failed check; the
// check after the fifth rolls back.
//
// Argo Rollouts (analysis/analysis.go), background analysis over pauses of 15 min: interval and initialDelay 5m, the success
// rate of the last 5 min, failureLimit 3 as in its documentation: the fourth failed measurement aborts, in total; nothing
// halts before. And the usual ratio query, every minute over 5 min, with the default failureLimit 0.
func naiveRules() []rule {
	return []rule{
		{name: "Flagger", doc: "canary's last minute above the healthy rate + 2 points, 5 of them", bad: fixedLimit, every: 1, strikes: 5, halts: true, late: true},
		{name: "Argo Rollouts", doc: "canary's last 5 minutes above the healthy rate + 2 points, 4 of them", bad: fixedWindow, every: 5, strikes: 4},
		{name: "Argo, ratio", doc: "canary above twice stable over the last 5 minutes, looked at every minute, once", bad: ratio, every: 1, strikes: 1},
		{name: "z-test", doc: "two-proportion z-test of the stage so far, one-sided 5 %, looked at every minute", bad: peekedZ, every: 1, strikes: 1, halts: true},
		{name: "Mann-Whitney", doc: "minutes' error rates of both arms, one-sided 1 %, every 5 minutes (Kayenta)", bad: mannWhitney, every: 5, strikes: 1, halts: true},
	}
}

// naiveLimit is what the fixed limits allow above the healthy error rate: the rollback limit of the bars' policy.
const naiveLimit = .02

func fixedLimit(stage []minute, healthy float64) bool {
	last := stage[len(stage)-1].canary
	return last.N == 0 || last.Rate() > healthy+naiveLimit
}

// fixedWindow is false without traffic: such a measurement is an error, of which four in a row are allowed, and an aborted
// analysis would only be one more wrong ending.
func fixedWindow(stage []minute, healthy float64) bool {
	_, c := sum(stage[max(0, len(stage)-5):])
	return c.N > 0 && c.Rate() > healthy+naiveLimit
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

// runNaive plays a rollout of the bars' ladder under a naive rule: the next stage after every least time, unless the rule
// halts for what its last look saw.
func runNaive(r rule, w World, seed uint64) Outcome {
	t := newTraffic(w, seed) // without a prelude: nobody else has a mask
	o := Outcome{First: 100}
	strikes := 0
	for _, weight := range []router.Weight{100, 500, 2500} {
		o.Widest = weight
		var stage []minute
		halted := false
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
			if len(stage)%r.every == 0 {
				if r.late && strikes >= r.strikes {
					o.RolledBack = true
					return o
				}
				halted = r.bad(stage, w.StableError)
				if halted {
					strikes++
				}
				if !r.late && strikes >= r.strikes {
					o.RolledBack = true
					return o
				}
			}
			pass = !(halted && r.halts) && len(stage) >= int(barsEvery/time.Minute)
		}
	}
	o.Promoted, o.Reached, o.Widest = true, o.Duration, router.Full
	return o
}

func (t *traffic) minute(at time.Duration, weight int) minute {
	var stable, canary window.Snapshot
	for end := at + time.Minute; at < end; at += t.w.tick() {
		t.tick(at, t.w.tick(), weight, &stable, &canary)
	}
	return minute{stable.Counts(window.BadKind), canary.Counts(window.BadKind)}
}
