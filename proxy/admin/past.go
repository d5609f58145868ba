package admin

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"serin/gate/control"
	"serin/gate/journal"
)

// maxMarks bounds how far back changes of the share are looked for, in decisions.
const maxMarks = 500

// oneSeries is GET /v1/rollouts/{name}/series. A page that draws it asks once for all of it, then every few seconds for what
// is newer than what it has: 50 viewers cost no more than one that asks for everything.
func (s *Server) oneSeries(w http.ResponseWriter, r *http.Request) {
	q, problem, hint := parseSeries(r.URL.Query())
	if problem != "" {
		fail(w, http.StatusBadRequest, problem, hint)
		return
	}
	ro, ok := s.find(w, r)
	if !ok {
		return
	}
	out := Series{
		Recent: q.points("recent", ro.Recent), Attempt: q.points("attempt", ro.Whole), Live: q.points("live", ro.Live),
		Marks: []Mark{},
	}
	if q.wants("marks") {
		list, err := s.o.Loop.Decisions(ro.Name, q.since, maxMarks)
		if err != nil {
			s.log.Error("journal read", "rollout", ro.Name, "err", err)
		}
		out.Marks = marksOf(list)
	}
	answer(w, http.StatusOK, out)
}

// pastQuery says which part of the past is asked for.
type pastQuery struct {
	since time.Time
	part  string // "": all
	most  int    // 0: as kept
}

func parseSeries(v url.Values) (q pastQuery, problem, hint string) {
	var err error
	if q.since, err = parseSince(v.Get("since"), time.Now()); err != nil {
		return q, "since " + quoted(v.Get("since")) + " is neither a time nor a duration", `use "2026-11-20T14:00:00Z" or "1h"`
	}
	if text := v.Get("points"); text != "" {
		if q.most, err = strconv.Atoi(text); err != nil || q.most < 1 {
			return q, "points " + quoted(text) + " is out of range", "1 or more, default: as kept"
		}
	}
	q.part = v.Get("part")
	if parts := []string{"", "recent", "attempt", "live", "marks"}; !slices.Contains(parts, q.part) {
		return q, "part " + quoted(q.part) + " is unknown", "recent, attempt, live or marks; none is all of them"
	}
	return q, "", ""
}

func (q pastQuery) wants(part string) bool { return q.part == "" || q.part == part }

func (q pastQuery) points(part string, points []control.Point) []Point {
	if !q.wants(part) {
		return []Point{}
	}
	first := len(points)
	for first > 0 && points[first-1].At.After(q.since) {
		first--
	}
	return pointsOf(control.Thin(points[first:], q.most))
}

// marksOf are the decisions that moved the share, oldest first.
func marksOf(newestFirst []journal.Entry) []Mark {
	out := []Mark{}
	for _, e := range slices.Backward(newestFirst) {
		if d := e.Decision; d.From != d.To {
			out = append(out, Mark{At: e.At, Action: d.Action.String(), From: d.From.Fraction(), To: d.To.Fraction()})
		}
	}
	return out
}

func pointsOf(points []control.Point) []Point {
	out := make([]Point, len(points))
	for i, p := range points {
		out[i] = Point{
			At: p.At, Seconds: short(p.Seconds, 1e3), Weight: p.Weight.Fraction(), Stable: pointArmOf(p.Stable), Canary: pointArmOf(p.Canary),
		}
	}
	return out
}

func pointArmOf(a control.PointArm) PointArm {
	out := PointArm{Requests: a.Requests, Errors: a.Errors}
	if a.P50 > 0 {
		out.P50MS, out.P95MS, out.P99MS = shortMS(a.P50), shortMS(a.P95), shortMS(a.P99)
	}
	if a.Requests > 0 {
		rate, low, high := wilson(a.Errors, a.Requests)
		rate, low, high = short(rate, 1e6), short(low, 1e6), short(high, 1e6)
		out.ErrorRate, out.ErrorLow, out.ErrorHigh = &rate, &low, &high
	}
	return out
}

// short keeps a number to as many places as a chart shows: hundreds of points travel at a time.
func short(v, places float64) float64 { return math.Round(v*places) / places }

func shortMS(d time.Duration) *float64 {
	ms := short(float64(d)/float64(time.Millisecond), 1e3)
	return &ms
}
