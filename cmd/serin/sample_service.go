package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// behaviour is how a sample service answers; it may be changed while it runs.
type behaviour struct {
	ErrorRate float64       `json:"error_rate"` // share of 500s, 0..1
	Median    time.Duration `json:"median"`     // median latency, lognormal around it
	Sigma     float64       `json:"sigma"`      // spread of the logarithm; .4 makes p99 about 2.5 medians
}

// sampleService is the service that demo and the end-to-end tests release: one version of a small web shop. It is an
// ordinary net/http server, so that what serin meets is not of serin's making.
type sampleService struct {
	version string
	total   string  // of the basket, in the answers
	clock   bool    // answers say when they were made
	sells   float64 // share of good answers that say checkout_done=1 in X-Signal, the others 0; < 0: nothing is said
	body    string  // of every good answer; "": the basket
	how     atomic.Pointer[behaviour]
	served  atomic.Int64
	failed  atomic.Int64
}

// behaviourPath changes a sample service from outside: POST a behaviour as JSON, straight to its own address.
const behaviourPath = "/_sample/behaviour"

func newSampleService(version string, how behaviour) *sampleService {
	s := &sampleService{version: version, total: "7.20", sells: -1}
	s.how.Store(&how)
	return s
}

// Serve answers on l until ctx ends.
func (s *sampleService) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve sample service %s: %w", s.version, err)
	}
	return nil
}

func (s *sampleService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == behaviourPath {
		s.change(w, r)
		return
	}
	how := s.how.Load()
	if how.Median > 0 {
		wait := time.Duration(float64(how.Median) * math.Exp(rand.NormFloat64()*how.Sigma))
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	s.served.Add(1)
	w.Header().Set("X-Version", s.version)
	w.Header().Set("Content-Type", "application/json")
	if rand.Float64() < how.ErrorRate {
		s.failed.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "{\"version\":%q,\"error\":\"the till is jammed\"}\n", s.version)
		return
	}
	at := ""
	if s.clock {
		at = fmt.Sprintf(",\"at\":%q", time.Now().Format(time.RFC3339Nano))
	}
	if s.sells >= 0 {
		done := 0
		if rand.Float64() < s.sells {
			done = 1
		}
		w.Header().Set("X-Signal", fmt.Sprintf("checkout_done=%d", done))
	}
	if s.body != "" {
		fmt.Fprintln(w, s.body)
		return
	}
	fmt.Fprintf(w, "{\"version\":%q,\"basket\":[\"bread\",\"cheese\"],\"total\":%q%s}\n", s.version, s.total, at)
}

func (s *sampleService) change(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST a behaviour", http.StatusMethodNotAllowed)
		return
	}
	var how behaviour
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&how); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.how.Store(&how)
	w.WriteHeader(http.StatusNoContent)
}
