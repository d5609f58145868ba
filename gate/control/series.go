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
	// early is how much a tick may come before its time: without it a point would wait for the tick after.
	early = 250 * time.Millisecond
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
	counts *stretch  // nil: nothing was ever counted
	lit    time.Time // when counts.fine began
	began  time.Time // when counts.sum began
	live   []Point
	recent []Point
	whole  []Point
	stride int // points merged into one of whole
	open   []Point
}

// stretch is what the points to come are made of. It is large, and of many rollouts most have none.
type stretch struct {
	last [2]window.Snapshot // newest reading of the step
	fine [2]window.Snapshot // since the last point of live
	sum  [2]window.Snapshot // since the last point of recent, fine left out
}

// add takes a reading, cumulative since the step began.
func (s *series) add(now time.Time, w router.Weight, total *[2]window.Snapshot) {
	s.count(total)
	if s.began.IsZero() {
		s.began, s.lit = now, now
	}
	if now.Sub(s.lit) < livePointEvery-early {
		return
	}
	p := Point{At: now.Round(0), Seconds: now.Sub(s.lit).Seconds(), Weight: w}
	if s.counts != nil {
		s.counts.light(&p)
	}
	s.live, s.lit = append(drop(s.live, livePoints), p), now
	if now.Sub(s.began) < pointEvery-early {
		return
	}
	p = Point{At: p.At, Seconds: now.Sub(s.began).Seconds(), Weight: w}
	if s.counts != nil {
		s.counts.close(&p)
	}
	s.began = now
	s.keep(p)
}

// count takes in what is new: of many rollouts most are quiet.
func (s *series) count(total *[2]window.Snapshot) {
	for i := range total {
		if s.counts == nil && total[i].Total() > 0 {
			s.counts = new(stretch)
		}
		c := s.counts
		if c == nil || total[i].Outcomes == c.last[i].Outcomes && total[i].Masked == c.last[i].Masked {
			continue
		}
		reading := total[i]
		reading.Users = nil
		c.fine[i].Add(&reading)
		c.fine[i].Sub(&c.last[i])
		c.last[i] = reading
	}
}

// light fills p with what was counted since the last point of live, and begins the next.
func (c *stretch) light(p *Point) {
	for i, arm := range []*PointArm{&p.Stable, &p.Canary} {
		if c.fine[i].Total() > 0 {
			*arm = pointArm(&c.fine[i])
			c.sum[i].Add(&c.fine[i])
			c.fine[i] = window.Snapshot{}
		}
	}
}

// close fills p with what was counted since the last point of recent, and begins the next.
func (c *stretch) close(p *Point) {
	for i, arm := range []*PointArm{&p.Stable, &p.Canary} {
		if c.sum[i].Total() > 0 {
			*arm = pointArm(&c.sum[i])
			c.sum[i] = window.Snapshot{}
		}
	}
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
func (s *series) rebase() {
	if s.counts != nil {
		s.counts.last = [2]window.Snapshot{}
	}
}

// resume says that the readings go on from base.
func (s *series) resume(base *[2]window.Snapshot) {
	s.counts = &stretch{last: *base}
	for i := range base {
		s.counts.last[i].Users = nil
	}
}

// attempt begins the whole anew.
func (s *series) attempt() { s.whole, s.open, s.stride = nil, nil, 1 }

func pointArm(s *window.Snapshot) PointArm {
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
