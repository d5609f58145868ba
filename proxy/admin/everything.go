package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
)

// Everything is the answer of what acts on all rollouts at once: POST /v1/pause, /v1/resume and /v1/rollback, and of
// GET /v1/freeze. Decisions are those that it caused; a rollout to which it does not apply has none.
type Everything struct {
	Freeze    *Freeze        `json:"freeze"` // null: not everything is paused
	Decisions []DecisionView `json:"decisions"`
}

// Freeze is a pause of every rollout, those to come included.
type Freeze struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// Freezer pauses everything, and ends that: *control.Loop again.
type Freezer interface {
	Freeze(ctx context.Context, actor, reason string) ([]journal.Entry, error)
	Thaw(ctx context.Context, actor, reason string) ([]journal.Entry, error)
}

func freezeOf(f *gate.Freeze) *Freeze {
	if f == nil {
		return nil
	}
	return &Freeze{Actor: f.Actor, Reason: f.Reason, Since: f.Since}
}

func (s *Server) freeze(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, Everything{Freeze: freezeOf(s.status().Freeze), Decisions: []DecisionView{}})
}

func (s *Server) pauseAll(w http.ResponseWriter, r *http.Request) {
	s.all(w, r, "pause", func(ctx context.Context, a Act) ([]journal.Entry, error) {
		return s.o.Freezer.Freeze(ctx, a.Actor, a.Reason)
	})
}

func (s *Server) resumeAll(w http.ResponseWriter, r *http.Request) {
	s.all(w, r, "resume", func(ctx context.Context, a Act) ([]journal.Entry, error) {
		return s.o.Freezer.Thaw(ctx, a.Actor, a.Reason)
	})
}

func (s *Server) rollbackAll(w http.ResponseWriter, r *http.Request) {
	s.all(w, r, "rollback", s.rollEverythingBack)
}

// rollEverythingBack goes through all rollouts and experiments; one that refuses or fails stops no other.
func (s *Server) rollEverythingBack(ctx context.Context, a Act) ([]journal.Entry, error) {
	var entries []journal.Entry
	var failed error
	var names []string
	status := s.status()
	for i := range status.Rollouts {
		names = append(names, status.Rollouts[i].Name)
	}
	for i := range status.Experiments {
		names = append(names, status.Experiments[i].Name)
	}
	for _, name := range names {
		op := gate.Operator{Verb: gate.VerbRollback, Actor: a.Actor, Reason: a.Reason}
		d, e, err := s.o.Loop.Operate(ctx, name, op)
		switch {
		case errors.Is(err, control.ErrUnknownRollout): // a reload meanwhile
		case err != nil:
			failed = errors.Join(failed, err)
		case d.Refusal == "" && d.News:
			entries = append(entries, e)
		}
	}
	return entries, failed
}

// all does one act on everything.
func (s *Server) all(w http.ResponseWriter, r *http.Request, word string, do func(context.Context, Act) ([]journal.Entry, error)) {
	a, ok := readAct(w, r, word)
	if !ok {
		return
	}
	switch {
	case a.IfVersion != nil:
		fail(w, http.StatusBadRequest, "if_version does not apply to all rollouts", "each has a version of its own")
		return
	case s.o.Loop == nil || s.o.Freezer == nil:
		answer(w, http.StatusOK, Everything{Decisions: []DecisionView{}})
		return
	}
	a.Actor = s.actor(r, a.Actor)
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	entries, err := do(ctx, a)
	switch {
	case errors.Is(err, control.ErrNotFrozen):
		fail(w, http.StatusConflict, err.Error(), "a single rollout is resumed by its name")
		return
	case err != nil:
		s.failed(w, "all", err)
		return
	}
	out := Everything{Freeze: freezeOf(s.status().Freeze), Decisions: make([]DecisionView, len(entries))}
	for i, e := range entries {
		out.Decisions[i] = DecisionOf(e)
	}
	answer(w, http.StatusOK, out)
}

// Capacity is what the pools carry, in requests per second; null: not said.
type Capacity struct {
	Canary     *float64 `json:"canary"`
	Stable     *float64 `json:"stable"`
	Rate       *float64 `json:"rate"`        // of both arms, over the last minute; null: not known yet
	MostWeight *float64 `json:"most_weight"` // the largest that the canary's pool carries of it
}

func capacityOf(c *control.CapacityStatus) *Capacity {
	if c == nil {
		return nil
	}
	known := func(v float64, ok bool) *float64 {
		if !ok {
			return nil
		}
		v = finite(v)
		return &v
	}
	return &Capacity{
		Canary: known(c.Canary, c.Canary > 0), Stable: known(c.Stable, c.Stable > 0),
		Rate: known(c.Load, c.Load >= 0), MostWeight: known(c.Most, c.Load >= 0 && c.Canary > 0),
	}
}

// Attempt is what one attempt cost, told with the decision that ended it. Users are estimated from buckets.
type Attempt struct {
	Number      int         `json:"number"`
	Revision    string      `json:"revision"`
	Users       uint64      `json:"users"`
	Requests    uint64      `json:"requests"`
	Failed      uint64      `json:"failed"`
	UsersFailed uint64      `json:"users_failed"`
	Shares      []ShareTime `json:"shares"`
}

// ShareTime is how long the canary had a share of the users, and what it did with it. A weight of 0 is a preview, or a ring
// alone.
type ShareTime struct {
	Weight   float64 `json:"weight"`
	Seconds  float64 `json:"seconds"`
	Requests uint64  `json:"requests"`
	Failed   uint64  `json:"failed"`
}

func attemptOf(a *journal.Attempt) *Attempt {
	if a == nil {
		return nil
	}
	return &Attempt{
		Number: a.Number, Revision: a.Revision, Users: a.Users, Requests: a.Requests, Failed: a.Failed,
		UsersFailed: a.UsersFailed, Shares: sharesOf(a.Shares),
	}
}

func sharesOf(shares []journal.ShareTime) []ShareTime {
	out := make([]ShareTime, len(shares))
	for i, s := range shares {
		out[i] = ShareTime{Weight: s.Weight.Fraction(), Seconds: finite(s.Seconds), Requests: s.Requests, Failed: s.Failed}
	}
	return out
}
