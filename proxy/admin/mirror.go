package admin

import (
	"net/http"
	"time"
)

// Besides reads what rollouts do besides routing: their mirrors and shields.
type Besides interface {
	// Mirror is what the rollout's mirror, the one that runs or the last of this process, has found.
	Mirror(rollout string) Mirror
	// Beside are the counters of one rollout; false: it has no mirror and no shield, and had none.
	Beside(rollout string) (BesideTotals, bool)
	// Besides are the counters of all rollouts that have a mirror or a shield, or had one; cumulative since the daemon's start.
	Besides() []BesideTotals
}

// BesideTotals are one rollout's counters.
type BesideTotals struct {
	Rollout  string
	Mirrored map[string]uint64 // by result
	Control  [2]uint64         // stable compared with itself: alike, unlike
	Shielded map[string]uint64 // by result
}

// Mirror is the answer of GET /v1/rollouts/{name}/mirror. Counts are of the rollout, differences and noise of its last mirror.
type Mirror struct {
	Running     bool              `json:"running"`
	Share       float64           `json:"share"`
	Learned     bool              `json:"learned"` // whether the noise is known, and answers are judged
	Requests    map[string]uint64 `json:"requests"`
	Control     MirrorControl     `json:"control"`
	Noise       []string          `json:"noise"`       // fields in which stable differs from itself: not compared
	Differences []Difference      `json:"differences"` // most frequent first
}

// MirrorControl counts comparisons of stable with itself, noise left out.
type MirrorControl struct {
	Compared uint64 `json:"compared"`
	Unlike   uint64 `json:"unlike"`
}

// Difference is one field in which the canary's answers differ, with the newest requests that showed it. Values are tags
// unless mirror.values asks for them.
type Difference struct {
	Field    string             `json:"field"`
	Kind     string             `json:"kind"` // value | type | missing | added | length
	Count    uint64             `json:"count"`
	Examples []DifferentRequest `json:"examples"`
}

// DifferentRequest is an example, redacted.
type DifferentRequest struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Target string    `json:"target"`
	Stable string    `json:"stable"`
	Canary string    `json:"canary"`
}

// beside adds to a rollout what its mirror and its shield have counted.
func (s *Server) beside(ro *Rollout) {
	if s.o.Besides == nil {
		return
	}
	if t, ok := s.o.Besides.Beside(ro.Name); ok {
		ro.Mirror, ro.Shield = t.Mirrored, t.Shielded
	}
}

func (s *Server) oneMirror(w http.ResponseWriter, r *http.Request) {
	ro, ok := s.find(w, r)
	if !ok {
		return
	}
	m := Mirror{Requests: map[string]uint64{}}
	if s.o.Besides != nil {
		m = s.o.Besides.Mirror(ro.Name)
	}
	m.Noise = append([]string{}, m.Noise...)
	m.Differences = append([]Difference{}, m.Differences...)
	answer(w, http.StatusOK, m)
}

// mirrorResults and shieldResults are the closed values of result.
var (
	mirrorResults = []string{"match", "mismatch", "learning", "too_large", "skipped", "dropped"}
	shieldResults = []string{"saved", "lost", "over_budget"}
)

func writeBesides(e *exposition, totals []BesideTotals) {
	var mirrored, shielded []BesideTotals
	for _, t := range totals {
		if t.Mirrored != nil {
			mirrored = append(mirrored, t)
		}
		if t.Shielded != nil {
			shielded = append(shielded, t)
		}
	}
	if len(mirrored) > 0 {
		writeMirrors(e, mirrored)
	}
	if len(shielded) > 0 {
		e.family("serin_shield_requests_total", "counter", "Canary failures that were tried again on stable, by what came of it.")
		for _, t := range shielded {
			for _, result := range shieldResults {
				e.sample("serin_shield_requests_total", float64(t.Shielded[result]), "rollout", t.Rollout, "result", result)
			}
		}
	}
}

func writeMirrors(e *exposition, totals []BesideTotals) {
	e.family("serin_mirror_requests_total", "counter",
		"Requests chosen to be mirrored, by what came of them; failed copies are mismatches, dropped ones found no room.")
	for _, t := range totals {
		for _, result := range mirrorResults {
			e.sample("serin_mirror_requests_total", float64(t.Mirrored[result]), "rollout", t.Rollout, "result", result)
		}
	}
	e.family("serin_mirror_failures_total", "counter", "Copies that the canary gave no answer to.")
	for _, t := range totals {
		e.sample("serin_mirror_failures_total", float64(t.Mirrored["failed"]), "rollout", t.Rollout)
	}
	e.family("serin_mirror_control_total", "counter", "Comparisons of stable with itself, by result, known noise left out.")
	for _, t := range totals {
		for i, result := range []string{"match", "mismatch"} {
			e.sample("serin_mirror_control_total", float64(t.Control[i]), "rollout", t.Rollout, "result", result)
		}
	}
}
