package main

import (
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"serin/config"
	"serin/gate/control"
	"serin/gate/window"
	"serin/proxy"
	"serin/router"
)

// dataplane joins the control loop to the proxy: it turns a plan and its settings into a proxy.Snapshot. What a reload left
// alone is kept: pools with their connections, meters with their counts.
//
// Install, Set and Read are the control loop's alone (control.Dataplane); the other methods read what is in force.
type dataplane struct {
	proxy *proxy.Proxy
	log   *slog.Logger
	pools poolKeeper
	extra *extrasKeeper
	local *localFlags  // nil: flags are answered on the admin listener alone
	kept  *keptSources // nil: nothing outlives the process

	inForce atomic.Pointer[installed]
}

// installed is one immutable generation of routing.
type installed struct {
	plan     *config.Plan
	ids      map[string]int // split IDs by rollout
	settings map[string]control.Setting
	snap     *proxy.Snapshot
	sources  []config.Upstream // what snap.Pools were made of, by ID; kept pools of replaced upstreams follow the plan's
	splits   []*router.Split   // by split ID, as in the table
}

var _ control.Dataplane = (*dataplane)(nil)

func newDataplane(p *proxy.Proxy, log *slog.Logger) *dataplane {
	d := &dataplane{proxy: p, log: log, extra: newExtrasKeeper(log)}
	d.pools.log = log
	return d
}

// Install puts plan in force with every rollout at its setting. Pools that change nothing are kept; names that cannot be
// looked up are no error: their servers are tried again while the rest serves.
func (d *dataplane) Install(plan *config.Plan, settings map[string]control.Setting) error {
	old := d.inForce.Load()
	next := &installed{plan: plan, ids: make(map[string]int, len(plan.Rollouts)), settings: make(map[string]control.Setting, len(plan.Rollouts))}
	next.sources = append(next.sources, plan.Upstreams...)
	next.splits = make([]*router.Split, len(plan.Rollouts), len(plan.Rollouts)+len(plan.Experiments))
	for i := range plan.Rollouts {
		ro := &plan.Rollouts[i]
		s := settings[ro.Name]
		next.settings[ro.Name], next.ids[ro.Name] = s, i
		split := *ro.Split
		split.ID, split.Weight, split.Open = i, s.Weight, openRings(ro, s)
		split.Group = groupOf(plan, ro, s)
		if s.Keep != "" {
			split.Upstreams[router.Stable] = next.keep(old, d.kept, ro, s.Keep)
		}
		next.splits[i] = &split
	}
	for i := range plan.Experiments {
		next.addExperiment(&plan.Experiments[i], settings[plan.Experiments[i].Name])
	}
	local, err := next.addLocal(d.local)
	if err != nil {
		return err
	}
	table, err := router.NewTable(routesWith(plan.Routes, next.splits))
	if err != nil {
		return fmt.Errorf("make the routing table: %w", err)
	}
	next.snap = &proxy.Snapshot{Table: table, Pools: d.pools.take(next.sources)}
	next.snap.Splits = make([]*proxy.Split, len(plan.Rollouts), len(next.splits))
	for i := range plan.Rollouts {
		ro := &plan.Rollouts[i]
		next.snap.Splits[i] = splitOf(ro, next.settings[ro.Name], old)
		next.snap.Splits[i].Extras = d.extra.take(ro, next.settings[ro.Name], next.splits[i], next.sources)
		dressFlags(plan, next.snap.Splits[i], ro.Split)
	}
	for i := range plan.Experiments {
		e := &plan.Experiments[i]
		next.snap.Splits = append(next.snap.Splits, experimentOf(plan, e, next.settings[e.Name], old))
	}
	next.snap.Drop, next.snap.Local = flagFields(plan), local
	next.snap.Plain = plainMeters(next, old)
	d.publish(next)
	d.pools.retire(next.sources)
	d.extra.forget(plan)
	return nil
}

// Set changes one rollout's weight, and its meters where the step is a new one.
func (d *dataplane) Set(rollout string, s control.Setting) {
	old := d.inForce.Load()
	i, ok := old.index(rollout)
	if !ok {
		return
	}
	next := *old
	next.settings = make(map[string]control.Setting, len(old.settings))
	for name, have := range old.settings {
		next.settings[name] = have
	}
	next.settings[rollout] = s
	if i >= len(old.plan.Rollouts) {
		d.setExperiment(old, &next, i, s)
		return
	}
	split := *old.splits[i]
	split.Group = groupOf(old.plan, &old.plan.Rollouts[i], s)
	split.Weight, split.Open = s.Weight, openRings(&old.plan.Rollouts[i], s)
	if s.Keep == "" {
		split.Upstreams = old.plan.Rollouts[i].Split.Upstreams
	}
	next.splits = append([]*router.Split(nil), old.splits...)
	next.splits[i] = &split
	snap := *old.snap
	snap.Table = snap.Table.WithSplit(&split)
	snap.Splits = append([]*proxy.Split(nil), snap.Splits...)
	snap.Splits[i] = splitOf(&old.plan.Rollouts[i], s, old)
	snap.Splits[i].Extras = d.extra.take(&old.plan.Rollouts[i], s, &split, old.sources)
	dressFlags(old.plan, snap.Splits[i], old.plan.Rollouts[i].Split)
	next.snap = &snap
	d.publish(&next)
}

// Read fills r from the meters of the rollout's step.
func (d *dataplane) Read(rollout string, r *control.Reading) {
	now := d.inForce.Load()
	i, ok := now.index(rollout)
	if !ok {
		return
	}
	if i >= len(now.plan.Rollouts) {
		now.readExperiment(i, r)
		return
	}
	split, ups := now.snap.Splits[i], now.splits[i].Upstreams
	meters := split.Evidence
	r.Quiet = meters[router.Stable].Total() == r.Stable.Total() && meters[router.Canary].Total() == r.Canary.Total()
	if !r.Quiet {
		meters[router.Stable].Read(&r.Stable, r.WantUsers)
		meters[router.Canary].Read(&r.Canary, r.WantUsers)
	}
	r.Keyless = split.Keyless.Total()
	readRings(split.Rings, r)
	readExtras(split.Extras, r)
	d.extra.signals.read(rollout, r)
	stable, canary := now.snap.Pools[ups[router.Stable]], now.snap.Pools[ups[router.Canary]]
	r.StableHealthy, r.CanaryHealthy = stable.Healthy(), canary.Healthy()
	r.CanaryInFlight = canary.InFlight()
}

func (d *dataplane) publish(next *installed) {
	d.proxy.Publish(next.snap)
	d.inForce.Store(next)
	d.kept.note(next)
}

func (g *installed) index(rollout string) (int, bool) {
	i, ok := g.ids[rollout]
	return i, ok
}

// routesWith is the plan's routes carrying these splits.
func routesWith(routes []*router.Route, splits []*router.Split) []*router.Route {
	out := make([]*router.Route, len(routes))
	for i, r := range routes {
		c := *r
		if r.Split != nil {
			c.Split = splits[r.Split.ID]
		}
		c.More = nil
		for _, more := range r.More {
			c.More = append(c.More, splits[more.ID])
		}
		out[i] = &c
	}
	return out
}

// splitOf is a rollout's meters: the old ones while the step is the same, else new ones at zero.
func splitOf(ro *config.Rollout, s control.Setting, old *installed) *proxy.Split {
	split := &proxy.Split{Name: ro.Name, Expose: ro.Expose, Force: ro.Split.Force}
	split.Rings = ringsOf(ro, s, old)
	if old != nil {
		if i, ok := old.index(ro.Name); ok && old.settings[ro.Name].Step == s.Step && old.settings[ro.Name].Revision == s.Revision {
			was := old.snap.Splits[i]
			split.Evidence, split.Forced, split.Keyless, split.Other = was.Evidence, was.Forced, was.Keyless, was.Other
			return split
		}
	}
	o := window.Options{Mask: s.Mask, Users: true, Kinds: kindsOf(ro)}
	for arm := range split.Evidence {
		split.Evidence[arm] = window.NewMeter(o)
		split.Forced[arm] = window.NewMeter(window.Options{})
	}
	split.Keyless, split.Other = window.NewMeter(window.Options{}), window.NewMeter(window.Options{})
	return split
}

// kindsOf are the per-bucket counters a rollout's gates look at, besides errors.
func kindsOf(ro *config.Rollout) []window.Kind { return kindsFor(ro.Policy.Criteria) }

// plainMeters are those of requests that no rollout counts, by upstream ID.
func plainMeters(next, old *installed) []*window.Meter {
	meters := make([]*window.Meter, len(next.sources))
	for _, r := range next.plan.Routes {
		if id := plainTo(r); id >= 0 && meters[id] == nil {
			meters[id] = old.plainMeter(next.sources[id].Name)
		}
	}
	return meters
}

// plainTo is the upstream that a route sends requests to which are in no rollout or experiment; -1: none.
func plainTo(r *router.Route) int {
	forAll := func(s *router.Split) bool { return s.Audience == nil }
	switch {
	case r.Split == nil:
		return r.Upstream
	case forAll(r.Split) || slices.ContainsFunc(r.More, forAll):
		return -1
	}
	return r.Rest
}

func (g *installed) plainMeter(name string) *window.Meter {
	if g != nil {
		for i, m := range g.snap.Plain {
			if m != nil && g.sources[i].Name == name {
				return m
			}
		}
	}
	return window.NewMeter(window.Options{})
}
