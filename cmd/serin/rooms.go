package main

import (
	"context"

	"serin/config"
	"serin/gate/criterion"
	"serin/proxy/admin"
)

// rooms shows the admin API what the daemon's rooms hold. Safe for concurrent use: all of it is read from what is in force.
type rooms struct{ daemon *serinDaemon }

var (
	_ admin.Traffic       = (*rooms)(nil)
	_ admin.Router        = (*rooms)(nil)
	_ admin.Configuration = (*rooms)(nil)
	_ admin.Flags         = (*rooms)(nil)
)

// Totals are the data plane's counters.
func (r *rooms) Totals() admin.Totals {
	t := r.daemon.proxy.Totals()
	out := admin.Totals{InFlight: int64(t.InFlight), OverheadSeconds: t.OverheadSeconds, Telemetry: r.daemon.telemetry.totals()}
	out.Edge = admin.EdgeTotals{
		Connections: t.Connections, ConnectionsRefused: r.daemon.fronts.refused(), RequestsRefused: t.Refused, Panics: t.Panics,
		MemoryUsed: t.Memory.Used, MemoryLimit: t.Memory.Limit, MemoryLevel: t.Memory.Level,
	}
	for _, s := range t.Splits {
		out.Splits = append(out.Splits, admin.SplitTotals{Rollout: s.Rollout, Arms: s.Arms})
	}
	for _, a := range t.Experiments {
		out.Experiments = append(out.Experiments, admin.ArmTotals(a))
	}
	if plan := r.daemon.planInForce(); plan != nil {
		for i := range plan.Rollouts {
			out.Limits = append(out.Limits, criterion.LatencyLimits(plan.Rollouts[i].Policy.Criteria)...)
		}
	}
	for _, s := range r.daemon.dataplane.pools.sums.all() {
		if s.Name != localUpstream {
			out.Upstreams = append(out.Upstreams, admin.UpstreamOf("", s))
		}
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
	out := make([]admin.Upstream, 0, len(now.snap.Pools))
	for i, pool := range now.snap.Pools {
		if pool.Name() != localUpstream {
			out = append(out, admin.UpstreamOf(now.sources[i].Revision, pool.Status()))
		}
	}
	return out
}

// Explain says where a key goes as routed now.
func (r *rooms) Explain(ask admin.Ask) admin.Explain {
	now := r.daemon.dataplane.inForce.Load()
	if now == nil {
		return admin.ExplainKey(ask, nil)
	}
	return admin.ExplainKey(ask, now.splits)
}

// Effective is the configuration in force.
func (r *rooms) Effective() string {
	return config.Effective(r.daemon.planInForce())
}

// Reload reads the file again.
func (r *rooms) Reload(ctx context.Context) (admin.Reload, error) { return r.daemon.Reload(ctx) }

// Reloads tells how reloading went so far.
func (r *rooms) Reloads() admin.Reloads {
	r.daemon.mu.Lock()
	defer r.daemon.mu.Unlock()
	return r.daemon.reloads
}
