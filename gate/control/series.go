package control

import (
	"time"

	"serin/gate/window"
	"serin/router"
)

const (
	livePointEvery = 2 * time.Second
	livePoints     = 300 // ten minutes
	pointEvery     = 30 * time.Second
	recentPoints   = 240 // two hours
	wholePoints    = 480
)

// Point is what both arms did over one stretch of time, at its end. Masked buckets are left out.
type Point struct {
	At             time.Time // wall time, for people
	Seconds        float64
	Weight         router.Weight // at the end
	Stable, Canary PointArm
}

// PointArm is one arm over a point's stretch. Quantiles are 0 where nothing was timed; of thinned points they are means
// weighted by requests.
type PointArm struct {
	Requests, Errors uint64
	P50, P95, P99    time.Duration
}

// series keeps the last ten minutes finely, the last two hours and, thinned, the whole attempt. Slices given out are never
// changed in place.
type series struct {
	last   [2]window.Snapshot // newest reading of the step
	fine   [2]window.Snapshot // since the last point of live
	sum    [2]window.Snapshot // since the last point of recent, fine left out
	lit    time.Time          // when fine began
	began  time.Time          // when sum began
	live   []Point
	recent []Point
	whole  []Point
	stride int // points merged into one of whole
	open   []Point
}

// add takes a reading, cumulative since the step began.
func (s *series) add(now time.Time, w router.Weight, total *[2]window.Snapshot) {
	for i := range total {
		if total[i].Outcomes == s.last[i].Outcomes && total[i].Masked == s.last[i].Masked {
			continue // nothing new: of many rollouts most are quiet
		}
		reading := total[i]
		reading.Users = nil
		s.fine[i].Add(&reading)
		s.fine[i].Sub(&s.last[i])
		s.last[i] = reading
	}
	if s.began.IsZero() {
		s.began, s.lit = now, now
	}
	if now.Sub(s.lit) < livePointEvery {
		return
	}
	s.live = append(drop(s.live, livePoints), point(now, s.lit, w, &s.fine))
	for i := range s.fine {
		if s.fine[i].Total() > 0 { // of many rollouts most are quiet
			s.sum[i].Add(&s.fine[i])
			s.fine[i] = window.Snapshot{}
		}
	}
	s.lit = now
	if now.Sub(s.began) < pointEvery {
		return
	}
	p := point(now, s.began, w, &s.sum)
	s.sum, s.began = [2]window.Snapshot{}, now
	s.keep(p)
}

func point(now, since time.Time, w router.Weight, arms *[2]window.Snapshot) Point {
	return Point{At: now.Round(0), Seconds: now.Sub(since).Seconds(), Weight: w, Stable: pointArm(&arms[0]), Canary: pointArm(&arms[1])}
}

// drop makes room for one more of at most n points.
func drop(points []Point, n int) []Point {
	if len(points) >= n {
		return points[1:]
	}
	return points
}

func (s *series) keep(p Point) {
	s.recent = append(drop(s.recent, recentPoints), p)
	s.open = append(s.open, p)
	if len(s.open) < max(s.stride, 1) {
		return
	}
	s.whole = append(s.whole, merge(s.open))
	s.open = s.open[:0]
	if len(s.whole) < wholePoints {
		return
	}
	half := make([]Point, 0, wholePoints)
	for i := 0; i+1 < len(s.whole); i += 2 {
		half = append(half, merge(s.whole[i:i+2]))
	}
	s.whole, s.stride = half, 2*max(s.stride, 1)
}

// rebase says that the readings begin at zero again.
func (s *series) rebase() { s.last = [2]window.Snapshot{} }

// resume says that the readings go on from base.
func (s *series) resume(base *[2]window.Snapshot) {
	for i := range base {
		s.last[i] = base[i]
		s.last[i].Users = nil
	}
}

// attempt begins the whole anew.
func (s *series) attempt() { s.whole, s.open, s.stride = nil, nil, 1 }

func pointArm(s *window.Snapshot) PointArm {
	if s.Total() == 0 {
		return PointArm{}
	}
	return PointArm{
		Requests: s.Judged(), Errors: s.Bad(),
		P50: s.Latency.Quantile(.5), P95: s.Latency.Quantile(.95), P99: s.Latency.Quantile(.99),
	}
}

// Thin merges neighbours until at most n points are left; n < 1 leaves all.
func Thin(points []Point, n int) []Point {
	if n < 1 || len(points) <= n {
		return points
	}
	step := (len(points) + n - 1) / n
	out := make([]Point, 0, n)
	for len(points) > 0 {
		k := min(step, len(points))
		out, points = append(out, merge(points[:k])), points[k:]
	}
	return out
}

func merge(points []Point) Point {
	out := points[len(points)-1]
	if len(points) == 1 {
		return out
	}
	out.Seconds = 0
	stable, canary := make([]PointArm, len(points)), make([]PointArm, len(points))
	for i, p := range points {
		out.Seconds += p.Seconds
		stable[i], canary[i] = p.Stable, p.Canary
	}
	out.Stable, out.Canary = mergeArms(stable), mergeArms(canary)
	return out
}

func mergeArms(arms []PointArm) PointArm {
	var out PointArm
	var p50, p95, p99, n float64
	for _, a := range arms {
		out.Requests, out.Errors = out.Requests+a.Requests, out.Errors+a.Errors
		if a.P50 == 0 {
			continue
		}
		w := float64(a.Requests)
		p50, p95, p99, n = p50+w*float64(a.P50), p95+w*float64(a.P95), p99+w*float64(a.P99), n+w
	}
	if n > 0 {
		out.P50, out.P95, out.P99 = time.Duration(p50/n), time.Duration(p95/n), time.Duration(p99/n)
	}
	return out
}
