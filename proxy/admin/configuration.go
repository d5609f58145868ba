package admin

import (
	"context"
	"errors"
	"net/http"
)

// Config is the answer of GET /v1/config: the configuration in force as TOML, defaults filled in, secrets left out.
type Config struct {
	Format string `json:"format"` // toml
	Config string `json:"config"`
}

func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	if s.o.Configuration == nil {
		fail(w, http.StatusNotFound, "this process was started without a configuration file", "")
		return
	}
	answer(w, http.StatusOK, Config{Format: "toml", Config: s.o.Configuration.Effective()})
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
