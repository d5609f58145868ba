package control

import (
	"time"

	"serin/gate/window"
)

const (
	loadSpan  = time.Minute     // over which the load is averaged
	loadLeast = 5 * time.Second // before that it is unknown
	loadEvery = time.Second     // between two points
)

// load is how many requests per second a rollout has, both arms together, across its steps. It is kept only where a pool's
// capacity is known. The zero value knows nothing.
type load struct {
	points []loadPoint // oldest first
	sum    uint64      // since the first look
	last   uint64      // the step's total at the last look
	step   uint64
}

type loadPoint struct {
	at  time.Time
	sum uint64
}

// add takes a look in: total is what both arms counted since the step began.
func (l *load) add(now time.Time, step uint64, total *[2]window.Snapshot) {
	n := total[0].Total() + total[1].Total()
	switch {
	case len(l.points) == 0: // what was before the first look has no time
	case step != l.step || n < l.last:
		l.sum += n
	default:
		l.sum += n - l.last
	}
	l.step, l.last = step, n
	if k := len(l.points); k > 0 && now.Sub(l.points[k-1].at) < loadEvery {
		return
	}
	l.points = append(l.points, loadPoint{now, l.sum})
	for len(l.points) > 2 && now.Sub(l.points[1].at) >= loadSpan {
		l.points = l.points[1:]
	}
}

// rate is in requests per second; -1 where it is not known yet.
func (l *load) rate(now time.Time) float64 {
	if len(l.points) == 0 || now.Sub(l.points[0].at) < loadLeast {
		return -1
	}
	return float64(l.sum-l.points[0].sum) / now.Sub(l.points[0].at).Seconds()
}

// load is the rollout's, where somebody said what a pool carries; 0 elsewhere.
func (r *rollout) load(now time.Time) float64 {
	if r.policy.Capacity <= 0 && r.policy.StableCapacity <= 0 {
		return 0
	}
	return r.traffic.rate(now)
}
