package main

import (
	"context"
	"reflect"
	"slices"

	"serin/config"
	"serin/proxy/admin"
)

// rooms shows the admin API what the daemon's rooms hold. Safe for concurrent use: all of it is read from what is in force.
type rooms struct{ daemon *serinDaemon }

var (
	_ admin.Traffic       = (*rooms)(nil)
	_ admin.Router        = (*rooms)(nil)
	_ admin.Configuration = (*rooms)(nil)
)

// Totals are the data plane's counters.
func (r *rooms) Totals() admin.Totals {
	t := r.daemon.proxy.Totals()
	out := admin.Totals{InFlight: int64(t.InFlight), OverheadSeconds: t.OverheadSeconds}
	for _, s := range t.Splits {
		out.Splits = append(out.Splits, admin.SplitTotals{Rollout: s.Rollout, Arms: s.Arms})
	}
	for _, b := range t.Overhead {
		out.Overhead = append(out.Overhead, admin.OverheadBin{Upper: b.Upper, Count: b.Count})
	}
	return out
}

// Upstreams are the pools in force.
func (r *rooms) Upstreams() []admin.Upstream {
	now := r.daemon.dataplane.inForce.Load()
	if now == nil {
		return nil
	}
	out := make([]admin.Upstream, len(now.snap.Pools))
	for i, pool := range now.snap.Pools {
		out[i] = admin.UpstreamOf(now.sources[i].Revision, pool.Status())
	}
	return out
}

// Explain says where a key goes as routed now.
func (r *rooms) Explain(key string) admin.Explain {
	now := r.daemon.dataplane.inForce.Load()
	if now == nil {
		return admin.ExplainKey(key, nil)
	}
	return admin.ExplainKey(key, now.splits)
}

// Effective is the configuration in force.
func (r *rooms) Effective() string {
	r.daemon.reloadMu.Lock()
	defer r.daemon.reloadMu.Unlock()
	return config.Effective(r.daemon.inForce)
}

// Reload reads the file again.
func (r *rooms) Reload(ctx context.Context) (admin.Reload, error) { return r.daemon.Reload(ctx) }

// Reloads tells how reloading went so far.
func (r *rooms) Reloads() admin.Reloads {
	r.daemon.reloadMu.Lock()
	defer r.daemon.reloadMu.Unlock()
	return r.daemon.reloads
}

// needsRestart names what a reload cannot change in a running process: sockets and the state directory are opened once.
func needsRestart(was, is *config.Plan) []config.Problem {
	var out []config.Problem
	say := func(key, text string) {
		out = append(out, config.Problem{File: is.File, Key: key, Text: text, Hint: "restart serin to apply it"})
	}
	if !sameListeners(was.Listen, is.Listen) {
		say("listen", "the change takes effect after a restart")
	}
	if was.Admin != is.Admin {
		say("admin", "the change takes effect after a restart")
	}
	if was.StateDir != is.StateDir {
		say("state.dir", "the change takes effect after a restart")
	}
	if was.Log.Level != is.Log.Level || was.Log.Format != is.Log.Format {
		say("log", "the change takes effect after a restart")
	}
	return out
}

// sameListeners compares what listeners are opened with.
func sameListeners(a, b []config.Listen) bool {
	return slices.EqualFunc(a, b, func(x, y config.Listen) bool {
		secure := (x.TLS == nil) == (y.TLS == nil)
		x.TLS, y.TLS = nil, nil // certificates reload by themselves
		return secure && reflect.DeepEqual(x, y)
	})
}
