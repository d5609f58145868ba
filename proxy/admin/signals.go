package admin

import (
	"net/http"
	"time"

	"serin/gate/signal"
)

// maxEvents bounds one POST of signals.
const maxEvents = 1000

// Signals counts business signals.
type Signals interface {
	// Record attributes events to the arms of their keys, all of them or, with an error that names the first bad one, none.
	Record(events []SignalEvent) (SignalCounts, error)
	// Totals are a rollout's sums, and how many judged events came after their stage was over.
	Totals(rollout string) (list []Signal, late uint64)
}

// SignalEvent is one element of the body of POST /v1/signals.
type SignalEvent struct {
	Key     string     `json:"key"`
	Name    string     `json:"name"`
	Value   *float64   `json:"value,omitempty"`   // default 1
	At      *time.Time `json:"at,omitempty"`      // default now; an event counts for the stage of its own time
	Rollout string     `json:"rollout,omitempty"` // default all of them
}

// Event is what a book takes.
func (e *SignalEvent) Event() signal.Event {
	out := signal.Event{Key: e.Key, Name: e.Name, Value: 1}
	if e.Value != nil {
		out.Value = *e.Value
	}
	if e.At != nil {
		out.At = *e.At
	}
	return out
}

// SignalCounts is the answer of POST /v1/signals: what became of the events.
type SignalCounts struct {
	Accepted     int `json:"accepted"`
	Late         int `json:"late"`         // of a stage that is over: summed, but no evidence
	Unattributed int `json:"unattributed"` // no rollout has an arm for the key at that time
	Dropped      int `json:"dropped"`      // too many different names
}

// Signal is one business signal of a rollout, over all stages since the daemon's start.
type Signal struct {
	Name   string    `json:"name"`
	Judged bool      `json:"judged"`          // a gate judges it
	Lower  bool      `json:"lower,omitempty"` // lower is worse
	Stable SignalArm `json:"stable"`
	Canary SignalArm `json:"canary"`
}

// SignalArm is a signal on one arm. Mean is null without an event.
type SignalArm struct {
	Count uint64   `json:"count"`
	Sum   float64  `json:"sum"`
	Mean  *float64 `json:"mean"`
}

// SignalArmOf makes the mean.
func SignalArmOf(count uint64, sum float64) SignalArm {
	a := SignalArm{Count: count, Sum: finite(sum)}
	if count > 0 {
		mean := finite(sum / float64(count))
		a.Mean = &mean
	}
	return a
}

// signals is POST /v1/signals.
func (s *Server) signals(w http.ResponseWriter, r *http.Request) {
	var events []SignalEvent
	if !decode(w, r, &events) {
		return
	}
	switch {
	case s.o.Signals == nil:
		fail(w, http.StatusNotFound, "no signals are counted here", "")
		return
	case len(events) > maxEvents:
		fail(w, http.StatusBadRequest, "more than 1000 events", "send them in several requests")
		return
	}
	counts, err := s.o.Signals.Record(events)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "nothing of the request was counted")
		return
	}
	answer(w, http.StatusAccepted, counts)
}
