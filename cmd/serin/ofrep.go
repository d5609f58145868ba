package main

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

	"serin/config"
	"serin/proxy/admin"
	"serin/router"
)

// localFlags answers flags on the data listeners. It is an upstream like any other, on a loopback port of its own, so that its
// requests pass the same gate, limits and timeouts as everybody's; admin.OFREP answers them. Nothing listens until a plan asks.
type localFlags struct {
	log    *slog.Logger
	flags  admin.Flags
	wg     sync.WaitGroup
	server *http.Server // owned by the control loop; nil: not started
	source config.Upstream
	answer atomic.Pointer[http.Handler]
}

// localUpstream is a name that no configured upstream can have.
const localUpstream = "(flags)"

// take puts the plan's prefixes in force and returns what to route them to; ok is false when no listener has one.
func (f *localFlags) take(plan *config.Plan) (source config.Upstream, ok bool, err error) {
	prefixes := map[string][]string{}
	for i := range plan.Listen {
		if l := &plan.Listen[i]; l.OFREP != "" {
			prefixes[l.OFREP] = l.Origins
		}
	}
	if len(prefixes) == 0 {
		return config.Upstream{}, false, nil
	}
	if f.server == nil {
		if err := f.start(); err != nil {
			return config.Upstream{}, false, fmt.Errorf("answer flags: %w", err)
		}
	}
	handlers := make(map[string]http.Handler, len(prefixes))
	for prefix, origins := range prefixes {
		handlers[prefix] = admin.OFREP(f.flags, prefix, origins)
	}
	var answer http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for prefix, h := range handlers {
			if strings.HasPrefix(r.URL.Path, prefix+"/") {
				h.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})
	f.answer.Store(&answer)
	return f.source, true, nil
}

func (f *localFlags) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.answer.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 1 << 20,
		ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
	address := l.Addr().String()
	f.source = config.Upstream{
		Name: localUpstream, Revision: "1", Balance: "p2c", Servers: []config.Server{{Name: address, Network: "tcp", Address: address}},
		Timeout: config.UpstreamTimeout{Connect: time.Second, Response: 10 * time.Second, Idle: time.Minute},
		Limits:  config.UpstreamLimits{Connections: 256, Queue: 256},
	}
	server := f.server
	f.wg.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			f.log.Error("flags are answered no more on the data listeners", "err", err)
		}
	})
	return nil
}

// close ends it and waits.
func (f *localFlags) close() {
	if f.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if f.server.Shutdown(ctx) != nil {
		_ = f.server.Close()
	}
	f.wg.Wait()
}

// addLocal routes what serin answers itself.
func (g *installed) addLocal(f *localFlags) (*router.Route, error) {
	if f == nil {
		return nil, nil
	}
	source, ok, err := f.take(g.plan)
	if err != nil || !ok {
		return nil, err
	}
	g.sources = append(g.sources, source)
	return &router.Route{Name: localUpstream, Upstream: len(g.sources) - 1}, nil
}
