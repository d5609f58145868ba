package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"serin/config"
)

// Config is the answer of GET /v1/config: the configuration in force, defaults filled in, secrets left out, and whether
// the file still says so.
type Config struct {
	Config     map[string]any `json:"config"` // the tables of the file
	TOML       string         `json:"toml"`   // the same as text
	LastReload LastReload     `json:"last_reload"`
}

// LastReload tells how the last reload went; before the first, the start is meant.
type LastReload struct {
	Successful  bool      `json:"successful"`
	SucceededAt time.Time `json:"succeeded_at"` // when a configuration was last put in force
	Problems    []Problem `json:"problems,omitempty"`
}

func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	if s.o.Configuration == nil {
		fail(w, http.StatusNotFound, "this process was started without a configuration file", "")
		return
	}
	text := s.o.Configuration.Effective()
	tree, err := config.Tree(text)
	if err != nil {
		s.log.Error("configuration not shown", "err", err)
		fail(w, http.StatusInternalServerError, "the configuration cannot be shown", "this is a bug in serin; the log has the details")
		return
	}
	answer(w, http.StatusOK, Config{Config: tree, TOML: text, LastReload: s.lastReload()})
}

func (s *Server) lastReload() LastReload {
	if s.o.Configuration == nil {
		return LastReload{Successful: true}
	}
	r := s.o.Configuration.Reloads()
	return LastReload{Successful: r.LastGood, SucceededAt: r.LastGoodSuccess.UTC(), Problems: r.Problems}
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	var none struct{}
	if !decode(w, r, &none) {
		return
	}
	if s.o.Configuration == nil {
		fail(w, http.StatusConflict, "there is no configuration file to reload", "this process was started without one")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	done, err := s.o.Configuration.Reload(ctx)
	var invalid *InvalidError
	switch {
	case errors.As(err, &invalid):
		answer(w, http.StatusBadRequest, Failure{
			Error:    "the configuration is invalid; the running one stays in force",
			Hint:     "serin check prints the same problems",
			Problems: invalid.Problems,
		})
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		fail(w, http.StatusServiceUnavailable, "the reload did not finish in time", "the log says how it went")
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error(), "the running configuration stays in force")
	default:
		answer(w, http.StatusOK, done)
	}
}
