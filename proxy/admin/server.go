package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"serin/gate/control"
)

const (
	maxBodyBytes   = 1 << 20
	maxHeadBytes   = 32 << 10
	headTimeout    = 5 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 30 * time.Second // events sets its own, a line at a time
	idleTimeout    = 2 * time.Minute
	loopTimeout    = 10 * time.Second // how long an act waits for the control loop
	shutdownPeriod = 5 * time.Second
)

// Server is the admin API. Its methods are safe for concurrent use.
type Server struct {
	o       Options
	log     *slog.Logger
	node    string        // the machine's name
	events  *feed         // of everybody, where there are no tokens
	closing chan struct{} // closed when Serve ends: event streams return

	feedsMu sync.Mutex
	feeds   map[string]*feed // guarded by feedsMu: by token
	guessed atomic.Int64     // when a wrong token was last tried, Unix seconds
}

// New makes a server; it starts nothing.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, log: o.Log, node: nodeName(), closing: make(chan struct{})}
	s.events = newFeed(s.rollouts, s.about)
	return s
}

// Serve answers on ln until ctx ends, then waits a moment for requests in progress. It leaves no goroutine. Call it once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	hs := &http.Server{
		Handler:           s.handler(hostsOf(ln.Addr(), s.o)),
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeadBytes,
		ConnState:         newCrowd(s.o.Connections).track,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(ln) }()

	var err error
	select {
	case err = <-served:
		close(s.closing)
	case <-ctx.Done():
		close(s.closing)
		sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPeriod)
		if hs.Shutdown(sctx) != nil {
			hs.Close()
		}
		cancel()
		<-served
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Handler is the API for a listener on Options.Address; Serve uses the same with the listener's own address.
func (s *Server) Handler() http.Handler { return s.handler(hostsOf(nil, s.o)) }

func (s *Server) handler(hosts hostList) http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, r.methods)
	}
	return s.recovered(s.guard(hosts, s.authorized(mux)))
}

type route struct {
	pattern string
	methods methods
}

// routes is the whole surface.
func (s *Server) routes() []route {
	return []route{
		{"/v1/rollouts", methods{"GET": s.listRollouts}},
		{"/v1/rollouts/{name}", methods{"GET": s.oneRollout}},
		{"/v1/rollouts/{name}/decisions", methods{"GET": s.listDecisions}},
		{"/v1/rollouts/{name}/series", methods{"GET": s.oneSeries}},
		{"/v1/rollouts/{name}/mirror", methods{"GET": s.oneMirror}},
		{"/v1/rollouts/{name}/drill", methods{"GET": s.oneDrill, "POST": s.startDrill, "DELETE": s.stopDrill}},
		{"/v1/rollouts/{name}/ack", methods{"POST": s.acknowledge}},
		{"/v1/rollouts/{name}/{verb}", methods{"POST": s.act}},
		{"/v1/freeze", methods{"GET": s.freeze}},
		{"/v1/pause", methods{"POST": s.pauseAll}},
		{"/v1/resume", methods{"POST": s.resumeAll}},
		{"/v1/rollback", methods{"POST": s.rollbackAll}},
		{"/v1/notify", methods{"GET": s.listSinks}},
		{"/v1/notify/{name}/test", methods{"POST": s.testSink}},
		{"/links/style.css", methods{"GET": linkStyle}},
		{"/links/{link}", methods{"GET": s.openLink, "POST": s.useLink}},
		{"/v1/signals", methods{"POST": s.signals}},
		{"/v1/events", methods{"GET": s.streamEvents}},
		{"/v1/upstreams", methods{"GET": s.listUpstreams}},
		{"/v1/experiments", methods{"GET": s.listExperiments}},
		{"/v1/experiments/{name}", methods{"GET": s.oneExperiment}},
		{"/v1/experiments/{name}/stop", methods{"POST": s.stopExperiment}},
		{"/v1/flags", methods{"GET": s.listFlags}},
		{"/ofrep/v1/evaluate/flags", methods{"POST": s.evaluateFlags}},
		{"/ofrep/v1/evaluate/flags/{flag}", methods{"POST": s.evaluateFlags}},
		{"/v1/explain", methods{"GET": s.explain}},
		{"/v1/config", methods{"GET": s.config}},
		{"/v1/reload", methods{"POST": s.reload}},
		{"/healthz/live", methods{"GET": s.live}},
		{"/healthz/ready", methods{"GET": s.ready}},
		{"/metrics", methods{"GET": s.metrics}},
		{"/{$}", methods{"GET": s.page}},
		{"/assets/{file}", methods{"GET": s.asset}},
		{"/plain", methods{"GET": s.plain}},
		{"/", nil},
	}
}

// recovered turns a panic of ours into a 500, logged once; the listener lives on.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			path := r.URL.Path
			if strings.HasPrefix(path, linkPath) { // what follows is a right to act
				path = linkPath
			}
			s.log.Error("admin request panicked", "path", path, "err", fmt.Sprint(p))
			fail(w, http.StatusInternalServerError, "internal error", "this is a bug in serin; the log has the details")
		}()
		next.ServeHTTP(w, r)
	})
}

// status is the loop's, an empty one before there is any.
func (s *Server) status() *control.Status {
	if s.o.Loop != nil {
		if status := s.o.Loop.Status(); status != nil {
			return status
		}
	}
	return &control.Status{}
}

func (s *Server) rollouts() []Rollout { return s.rolloutsFor(someone{}) }
