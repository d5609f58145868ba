package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"serin/gate/control"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxKeyBytes  = 16 << 10 // more than a request could carry
)

func (s *Server) listRollouts(w http.ResponseWriter, r *http.Request) {
	p, _ := s.who(r)
	answer(w, http.StatusOK, Rollouts{Rollouts: s.rolloutsFor(p)})
}

func (s *Server) oneRollout(w http.ResponseWriter, r *http.Request) {
	if ro, ok := s.find(w, r); ok {
		p, _ := s.who(r)
		answer(w, http.StatusOK, s.shown(p, &ro))
	}
}

// find is the rollout of the path; it answers 404 itself.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (control.RolloutStatus, bool) {
	name := r.PathValue("name")
	ro, ok := s.status().Rollout(name)
	if !ok {
		s.unknown(w, name)
	}
	return ro, ok
}

// unknown answers 404 for a rollout nobody knows, with the name that was perhaps meant.
func (s *Server) unknown(w http.ResponseWriter, name string) {
	var names []string
	for _, ro := range s.status().Rollouts {
		names = append(names, ro.Name)
	}
	hint := "there is no rollout"
	if near := nearest(name, names); near != "" {
		hint = "did you mean " + quoted(near) + "?"
	} else if len(names) > 0 {
		hint = "the rollouts are " + quoted(strings.Join(names, ", "))
	}
	fail(w, http.StatusNotFound, "no rollout "+quoted(name), hint)
}

func (s *Server) listDecisions(w http.ResponseWriter, r *http.Request) {
	name, q := r.PathValue("name"), r.URL.Query()
	since, err := parseSince(q.Get("since"), time.Now())
	if err != nil {
		fail(w, http.StatusBadRequest, "since "+quoted(q.Get("since"))+" is neither a time nor a duration", `use "2026-11-20T14:00:00Z" or "1h"`)
		return
	}
	limit := defaultLimit
	if text := q.Get("limit"); text != "" {
		limit, err = strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			fail(w, http.StatusBadRequest, "limit "+quoted(text)+" is out of range", "1 to 1000, default 100")
			return
		}
	}
	if s.o.Loop == nil {
		s.unknown(w, name)
		return
	}
	list, err := s.o.Loop.Decisions(name, since, limit)
	if err != nil {
		s.log.Error("journal read", "rollout", name, "err", err)
		fail(w, http.StatusInternalServerError, "the journal could not be read", err.Error())
		return
	}
	if _, known := s.status().Rollout(name); !known && len(list) == 0 {
		s.unknown(w, name)
		return
	}
	views := make([]DecisionView, len(list))
	for i, e := range list {
		views[i] = DecisionOf(e)
	}
	answer(w, http.StatusOK, Decisions{Decisions: views})
}

// parseSince reads a wall time (RFC 3339) or how long ago ("1h"); empty is the zero time: everything.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Parse(time.RFC3339, s)
}

func (s *Server) listUpstreams(w http.ResponseWriter, r *http.Request) {
	list := []Upstream{}
	if s.o.Traffic != nil {
		list = append(list, s.o.Traffic.Upstreams()...)
	}
	answer(w, http.StatusOK, Upstreams{Upstreams: list})
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	key := q.Get("key")
	switch {
	case err != nil:
		fail(w, http.StatusBadRequest, "the query cannot be read", "in a key, write % as %25, & as %26 and ; as %3B")
		return
	case key == "":
		fail(w, http.StatusBadRequest, "a key is needed", "/v1/explain?key=alice")
		return
	case len(key) > maxKeyBytes:
		fail(w, http.StatusBadRequest, "the key is longer than 16 KiB", "of a key the first 256 bytes count")
		return
	}
	ask := askOf(q)
	as, err := ask.Request()
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "/v1/explain?key=alice&header=X-Employee:%201&client=10.8.0.7")
		return
	}
	e := Explain{Key: key}
	if s.o.Router != nil {
		e = s.o.Router.Explain(ask)
	}
	e.Rollouts = append([]ExplainSplit{}, e.Rollouts...)
	e.Experiments = append([]ExplainExp{}, e.Experiments...)
	e.Flags = s.explainFlags(as, key)
	answer(w, http.StatusOK, e)
}

func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "live"})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.o.Ready != nil {
		if ok, why := s.o.Ready(); !ok {
			fail(w, http.StatusServiceUnavailable, "not ready: "+why, "send traffic elsewhere until this answers 200; /healthz/live says whether it lives")
			return
		}
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}
